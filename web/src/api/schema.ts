// Generated from crates/hub/openapi.json by `cargo xtask gen`; do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptBody: {
            /** @description One of those that wait; the newest, if absent. */
            cluster_uid?: string | null;
        };
        /** @enum {string} */
        ActionMode: "audit" | "alert" | "block";
        /** @enum {string} */
        ActionResult: "none" | "would_block" | "denied" | "killed_at_exec" | "killed_after" | "connect_refused";
        /** @description Who asked the API server. */
        Actor: {
            address?: string | null;
            groups: string[];
            user: string;
            user_agent?: string | null;
        };
        AdmissionHealth: {
            /** Format: int64 */
            audit: number;
            /** Format: int64 */
            decisions_24h: number;
            /** Format: int64 */
            deny: number;
            /** Format: int64 */
            gaps_24h: number;
            last_gap?: components["schemas"]["StoredGap"] | null;
            /** Format: int64 */
            policies: number;
            policy_sets: components["schemas"]["PolicySetsHealth"];
            /** Format: int64 */
            warn: number;
        };
        /** @description A component with a certificate: cluster agent or node sensor. */
        Agent: {
            /** Format: int64 */
            audit_events?: number;
            capabilities: components["schemas"]["Capability"][];
            /** @description Epoch milliseconds at which the current certificate ends. */
            certificate_expires: components["schemas"]["Millis"];
            cluster: string;
            connected: boolean;
            /** @description Lost records by class since enrolment. */
            dropped: components["schemas"]["Dropped"][];
            first_seen: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            last_audit_event?: components["schemas"]["Millis"] | null;
            last_seen: components["schemas"]["Millis"];
            /**
             * Format: int64
             * @description The last batch the hub committed.
             */
            last_sequence: number;
            /** @description Node name for sensors, pod or host name for cluster agents. */
            name: string;
            revoked: boolean;
            role: components["schemas"]["AgentRole"];
            scope: components["schemas"]["ScopePath"];
            version: string;
        };
        AgentCounts: {
            /** Format: int64 */
            connected: number;
            /** @description Lost records of the agents that are not revoked, by class. */
            dropped: {
                [key: string]: number;
            };
            /** Format: int64 */
            total: number;
        };
        /** @description Of those that are connected or were within a day; of all where none is, as nobody knows how they are. */
        AgentNumbers: {
            /** Format: int64 */
            cluster_agents: number;
            /** Format: int64 */
            connected: number;
            /**
             * Format: int64
             * @description Of another version than the hub.
             */
            outdated: number;
            /** Format: int64 */
            sensors: number;
        };
        /** @enum {string} */
        AgentRole: "cluster_agent" | "sensor";
        /** @description An alert as the hub stores and shows it. */
        Alert: components["schemas"]["Firing"] & {
            /**
             * Format: int64
             * @description Firings joined.
             */
            count: number;
            dismissal?: components["schemas"]["Dismissal"] | null;
            first: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            last: components["schemas"]["Millis"];
            previous?: components["schemas"]["Id"] | null;
            /**
             * Format: int64
             * @description Raised by every change; the `ETag` of the alert.
             */
            revision: number;
            scope: components["schemas"]["ScopePath"];
            state: components["schemas"]["AlertState"];
        };
        AlertAction: {
            mode: components["schemas"]["ActionMode"];
            result: components["schemas"]["ActionResult"];
        };
        AlertFacets: {
            cluster: components["schemas"]["FacetValue"][];
            detection: components["schemas"]["FacetValue"][];
            namespace: components["schemas"]["FacetValue"][];
            severity: {
                [key: string]: number;
            };
            state: {
                [key: string]: number;
            };
        };
        /** @description What it was done to. */
        AlertObject: {
            /** @enum {string} */
            kind: "file";
            path: string;
        } | {
            /** @enum {string} */
            kind: "socket";
            /** Format: int32 */
            port: number;
            protocol: string;
            remote: string;
        } | {
            drifted?: boolean | null;
            /** @enum {string} */
            kind: "executable";
            path: string;
        } | {
            /** @enum {string} */
            kind: "api";
            name?: string | null;
            namespace?: string | null;
            resource: string;
            verb: string;
        };
        /** @enum {string} */
        AlertState: "active" | "in_progress" | "resolved" | "dismissed";
        /** @description One Kubernetes object or node that findings, alerts and links point to. */
        Asset: {
            api_version: string;
            /** @description UID of the `kube-system` namespace; for a machine outside a cluster its machine id. */
            cluster: string;
            /**
             * @description What matching left out of a node's packages: gaps and errors. `None` while they were not matched, and for what
             *     holds none.
             */
            coverage_problems?: components["schemas"]["Problem"][] | null;
            first_seen: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            images: components["schemas"]["ImageRef"][];
            kind: string;
            labels: [
                string,
                string
            ][];
            last_seen: components["schemas"]["Millis"];
            name: string;
            namespace?: string | null;
            /** @description Topmost owner as `Kind/name`. */
            owner?: string | null;
            scope: components["schemas"]["ScopePath"];
            /** @description The object's own UID. */
            uid: string;
        };
        /** @description What is left away stays; null clears. */
        AssignBody: {
            /**
             * Format: int64
             * @description Epoch milliseconds.
             */
            due?: number | null;
            owner?: string | null;
        };
        /** @description An assignment with what it would refuse now. */
        Assigned: components["schemas"]["Assignment"] & {
            /**
             * Format: int64
             * @description Resources at and below the scope, as far as the caller sees them, that fail a control of the target today: each
             *     once, not those that are exempt, of the assignment's namespaces and kinds, and none of `kube-system`,
             *     `kube-public` and `kube-node-lease`, where nothing is judged. Labels are not looked at, nor the agent's own
             *     namespace, nor parameters, nor assignments nearer to a resource: each can make it too high.
             */
            would_refuse: number;
        };
        /**
         * @description What a control or framework means at and below a scope. Of several that fit an object the nearest scope counts,
         *     within it the strictest action.
         */
        Assignment: components["schemas"]["Narrowing"] & {
            action: components["schemas"]["PolicyAction"];
            created: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            /** @description Values of the control's parameters; what is absent has its default. */
            params: Record<string, never>;
            /**
             * Format: int64
             * @description Raised by every change; the `ETag`.
             */
            revision: number;
            scope: components["schemas"]["ScopePath"];
            /** @example control:SW-C-0001 */
            target: string;
            updated: components["schemas"]["Millis"];
        };
        AssignmentBody: {
            action: components["schemas"]["PolicyAction"];
            excluded_namespaces?: string[];
            kinds?: string[];
            labels?: [
                string,
                string
            ][];
            namespaces?: string[];
            params?: Record<string, never>;
            scope: components["schemas"]["ScopePath"];
            /** @description `control:ID` or `framework:NAME@VERSION`. */
            target: string;
        };
        AuditCheck: {
            /**
             * Format: int64
             * @description The first position whose entry does not fit.
             */
            broken_at?: number | null;
            /** Format: int64 */
            entries: number;
            ok: boolean;
        };
        AuditEntry: {
            action: string;
            actor: string;
            at: components["schemas"]["Millis"];
            detail: unknown;
            /** @description SHA-256 over the previous hash and every field above, each with its length; hexadecimal. */
            hash: string;
            id: components["schemas"]["Id"];
            /**
             * Format: int64
             * @description From 1, without holes.
             */
            position: number;
            previous: string;
            target: string;
        };
        Bulk: {
            /**
             * Format: int64
             * @description Those for which the state machine has the step.
             */
            changed: number;
            /**
             * Format: int64
             * @description Visible alerts selected.
             */
            matched: number;
        };
        /** @enum {string} */
        BulkAction: "dismiss" | "take" | "resolve" | "reopen";
        /** @description Either `ids` or `filter`. `reason` and `note` belong to `dismiss`. */
        BulkBody: {
            action: components["schemas"]["BulkAction"];
            /** @description Count, but change nothing. */
            dry_run?: boolean;
            filter?: string | null;
            ids?: components["schemas"]["Id"][] | null;
            note?: string | null;
            reason?: components["schemas"]["DismissReason"] | null;
        };
        BySeverity: {
            /** Format: int64 */
            critical: number;
            /** Format: int64 */
            high: number;
            /** Format: int64 */
            info: number;
            /** Format: int64 */
            low: number;
            /** Format: int64 */
            medium: number;
            /** Format: int64 */
            unknown: number;
        };
        /** @description What a sensor can see, found by trying, never by version. */
        Capability: {
            /** @description `exec`, `open`, `connect`, … */
            name: string;
            /** @description Why it is not `full`. */
            reason?: string | null;
            state: components["schemas"]["CapabilityState"];
            /** @description `A` (LSM, fentry) or `B` (tracepoints). */
            tier?: string | null;
        };
        CapabilityCount: {
            /** Format: int64 */
            absent: number;
            /** Format: int64 */
            full: number;
            name: string;
            /** Format: int64 */
            partial: number;
            /**
             * Format: int64
             * @description Of agents that are not connected.
             */
            unknown: number;
        };
        CapabilityHealth: {
            /** Format: int64 */
            absent: number;
            /** Format: int64 */
            full: number;
            name: string;
            /** Format: int64 */
            partial: number;
            /** @description Why it is not full. */
            reasons: string[];
            /**
             * Format: int64
             * @description Of agents that are not connected.
             */
            unknown: number;
        };
        /** @enum {string} */
        CapabilityState: "full" | "partial" | "absent";
        /** @enum {string} */
        Category: "mitigated" | "risk_accepted";
        /** @description A connected Kubernetes cluster or single machine. */
        Cluster: {
            first_seen: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            /** @description `kubernetes` or `machine`. */
            kind: components["schemas"]["ClusterKind"];
            last_seen: components["schemas"]["Millis"];
            name: string;
            scope: components["schemas"]["ScopePath"];
            uid: string;
            /** @description Server version such as `v1.36.3`. */
            version?: string | null;
        };
        ClusterFeatures: {
            cluster: string;
            id: components["schemas"]["Id"];
            /** @description Why it is not working, by feature id. */
            reasons: {
                [key: string]: string[];
            };
            /**
             * @description By feature id: `working`, `partial`, `not working` or `unknown`. What needs nothing of a cluster is `unknown`
             *     where none of its agents is connected.
             */
            working: {
                [key: string]: string;
            };
        };
        /** @description One cluster and what its agents report. */
        ClusterHealth: {
            admission: components["schemas"]["AdmissionHealth"];
            agents: components["schemas"]["AgentNumbers"];
            /** Format: int64 */
            audit_events: number;
            capabilities: components["schemas"]["CapabilityHealth"][];
            certificate_expires?: components["schemas"]["Millis"] | null;
            cluster: components["schemas"]["Cluster"];
            /** @description Lost records by class. */
            dropped: components["schemas"]["Dropped"][];
            freshness: components["schemas"]["Freshness"];
            last_audit_event?: components["schemas"]["Millis"] | null;
            last_seen: components["schemas"]["Millis"];
            /** @description The best tier any capability of a connected agent works in: `A` or `B`. */
            tier?: string | null;
            /** @description Of the agents, each once. */
            versions: string[];
        };
        /** @enum {string} */
        ClusterKind: "kubernetes" | "machine";
        ClusterStatus: components["schemas"]["Cluster"] & {
            /** Format: int64 */
            agents_connected: number;
            freshness: components["schemas"]["Freshness"];
        };
        Compared: {
            bound: string;
            installed: string;
            /** @description `introduced`, `fixed`, `last_affected` or `listed`. */
            kind: string;
            /** @description `<`, `=` or `>`. */
            order: string;
        };
        /** @description How much of one framework a scope satisfies. */
        Compliance: {
            /** Format: int64 */
            controls: number;
            /**
             * Format: int64
             * @description Controls that a resource fails.
             */
            failing: number;
            /** @description `NAME@VERSION`. */
            framework: string;
            /**
             * Format: double
             * @description As for the whole scope, over this framework's controls.
             */
            risk?: number | null;
            /**
             * Format: double
             * @description Mean over its controls of the part of resources that satisfy them, 0 to 100. `None` while nothing is decided.
             */
            score?: number | null;
            /**
             * Format: int64
             * @description Controls with a resource that could not be decided.
             */
            undecided: number;
        };
        /** @description A control's metadata and text. */
        ControlEntry: {
            description: string;
            /** @description `NAME` or `NAME@VERSION`. */
            frameworks: string[];
            id: string;
            /** @description Path below `content/controls`. */
            path: string;
            preview: boolean;
            remediation: string;
            score_group: string;
            severity: components["schemas"]["Severity"];
            /** @description YAML, as it lies there. */
            text: string;
            title: string;
        };
        /** @description One control on one resource, as `posture` returns it and reports print it. Field order is the report's. */
        ControlFinding: {
            control: string;
            /** @description `cel`, `rego` or `native`. */
            engine: string;
            evidence: components["schemas"]["Evidence"][];
            exemption?: components["schemas"]["ExemptionRef"] | null;
            /** @description A JSON Patch (RFC 6902) that heals the finding; empty where none is known to. */
            fix: unknown[];
            /** @description `NAME@VERSION`. */
            frameworks: string[];
            message?: string | null;
            /** @description One closed word per state, such as `forbidden`, `windows`, `error`. */
            reason?: string | null;
            resource: components["schemas"]["Resource"];
            severity: components["schemas"]["Severity"];
            source?: components["schemas"]["Source"] | null;
            state: components["schemas"]["State"];
            title: string;
        };
        /**
         * @description What a control comes to over all resources of a scope.
         * @enum {string}
         */
        ControlState: "failing" | "unknown" | "passing" | "exempt" | "not_applicable" | "not_assessed";
        /** @description Controls by state; together all of them. */
        ControlStates: {
            /** Format: int64 */
            exempt: number;
            /** Format: int64 */
            failing: number;
            /** Format: int64 */
            not_applicable: number;
            /** Format: int64 */
            not_assessed: number;
            /** Format: int64 */
            passing: number;
            /** Format: int64 */
            unknown: number;
        };
        /** @description The enrolment with its token, shown this once. */
        CreatedEnrolment: components["schemas"]["Enrolment"] & {
            /** @description To paste where the agent runs. */
            command: string;
            /** @description `swe_…` */
            token: string;
        };
        /** @description The token with its secret, shown this once. */
        CreatedToken: components["schemas"]["Token"] & {
            /** @description `swt_…` */
            token: string;
        };
        /** @description One failing control of a decision. */
        DecidedControl: {
            action: components["schemas"]["PolicyAction"];
            /** @description Only an update that adds no failing path: told, never refused. */
            already_failing: boolean;
            /** @description Whose word it is: an assignment, or the policy set of a user's own policy. */
            assignment: components["schemas"]["Id"];
            /** @description Id of a control; of a user's own policy its kind and name, with a slash. */
            control: string;
            /** @description A JSON Patch (RFC 6902) that heals the object; empty where none is known to. */
            fix: unknown[];
            message: string;
            /** @description JSON Pointers into the object. */
            paths: string[];
            severity: components["schemas"]["Severity"];
            title: string;
        };
        /** @description The answer to a request that failed a control. Requests that pass are counted, not recorded. */
        Decision: {
            /** @description Name of the agent that answered. */
            agent: string;
            controls: components["schemas"]["DecidedControl"][];
            groups: string[];
            /** @description `CREATE`, `UPDATE` or `CONNECT`. */
            operation: string;
            /** @description Topmost owner known, as `Kind/name`. */
            owner?: string | null;
            resource: components["schemas"]["Resource"];
            /** @description Epoch milliseconds. */
            time: components["schemas"]["Millis"];
            user: string;
            verdict: components["schemas"]["Verdict"];
        };
        Detail: (components["schemas"]["ControlFinding"] & {
            /** @enum {string} */
            kind: "control";
        }) | (components["schemas"]["VulnFinding"] & {
            /** @enum {string} */
            kind: "vulnerability";
        });
        /** @description A detection's metadata and text. */
        DetectionEntry: {
            description: string;
            id: string;
            mitre: string[];
            /** @description Path below `content/detections`. */
            path: string;
            remediation: string;
            severity: components["schemas"]["Severity"];
            source: string;
            /** @description The tactic whose folder it lies in. */
            tactic: string;
            /** @description YAML, as it lies there. */
            text: string;
            title: string;
        };
        DismissBody: {
            note: string;
            reason: components["schemas"]["DismissReason"];
        };
        /** @enum {string} */
        DismissReason: "false_positive" | "expected" | "accepted_risk" | "test" | "duplicate";
        Dismissal: {
            at: components["schemas"]["Millis"];
            by: string;
            note: string;
            reason: components["schemas"]["DismissReason"];
        };
        /** @description The operating system of an image or node, from os-release. */
        Distro: {
            /** @description `ID`, such as `debian`. */
            id: string;
            /** @description `PRETTY_NAME`, for people. */
            name?: string | null;
            /** @description `VERSION_ID`, such as `12`; absent on rolling releases. */
            version?: string | null;
        };
        /** @description Records lost, by class such as `ring:data`, `spool`, `queue:identity`. */
        Dropped: {
            class: string;
            /** Format: int64 */
            count: number;
        };
        /**
         * @description A package universe: one namespace of names, one version order, advisories of its own.
         * @enum {string}
         */
        Ecosystem: "debian" | "pypi" | "go" | "ubuntu" | "redhat" | "almalinux" | "rocky" | "amazon" | "oracle" | "suse" | "opensuse" | "photon" | "azurelinux" | "alpine" | "alpaquita" | "wolfi" | "chainguard" | "rpm" | "apk" | "npm" | "maven" | "cratesio" | "rubygems" | "packagist" | "nuget" | "pub" | "hackage" | "cran" | "bitnami";
        Enrolment: {
            /** @description Whether anything was accepted so far. */
            accepted: boolean;
            /** @description UIDs of accepted clusters that have not come back yet, each good for one registration. */
            admitted: string[];
            created: components["schemas"]["Millis"];
            expires: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            /** @description Each registration waits for [`Enrolments::accept_enrolment`]. */
            manual_accept: boolean;
            /** @description The newest [`MAX_REFUSALS`]. */
            refusals: components["schemas"]["EnrolmentRefusal"][];
            /**
             * Format: int64
             * @description All refusals, also those no longer listed.
             */
            refused: number;
            revoked: boolean;
            scope: components["schemas"]["ScopePath"];
            uses: components["schemas"]["EnrolmentUse"][];
            /**
             * Format: int32
             * @description Registrations allowed.
             */
            uses_allowed: number;
            /** @description Clusters that wait for acceptance, newest last; the newest [`MAX_WAITING`]. */
            waiting: components["schemas"]["EnrolmentWaiting"][];
        };
        EnrolmentRefusal: {
            at: components["schemas"]["Millis"];
            cluster_name: string;
            cluster_uid: string;
            reason: components["schemas"]["Refusal"];
        };
        EnrolmentUse: {
            agent: components["schemas"]["Id"];
            at: components["schemas"]["Millis"];
            cluster_name: string;
            cluster_uid: string;
        };
        /** @description Who waits to be accepted. */
        EnrolmentWaiting: {
            /** @description Of the last attempt. */
            at: components["schemas"]["Millis"];
            cluster_name: string;
            cluster_uid: string;
        };
        Epss: {
            as_of: components["schemas"]["Millis"];
            /** Format: double */
            percentile: number;
            /** Format: double */
            score: number;
        };
        /** @description A JSON Pointer (RFC 6901) into the object and the value there; null where it is absent. */
        Evidence: {
            path: string;
            value: unknown;
        };
        Exemption: {
            category: components["schemas"]["Category"];
            created: components["schemas"]["Millis"];
            expires: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            last_match?: components["schemas"]["Millis"] | null;
            /**
             * Format: int64
             * @description Findings it excuses now; nothing for seven days warns.
             */
            matches: number;
            owner: string;
            reason: string;
            /** Format: int64 */
            revision: number;
            scope: components["schemas"]["ScopePath"];
            source: components["schemas"]["ExemptionSource"];
            /** @description `requested` until someone with the right grants it. */
            state: components["schemas"]["ExemptionState"];
            target: components["schemas"]["ExemptionTarget"];
        };
        ExemptionRef: {
            by?: string | null;
            category: string;
            expires?: components["schemas"]["Millis"] | null;
            id: string;
            reason: string;
        };
        /** @enum {string} */
        ExemptionSource: "ui" | "api" | "annotation" | "ignore_file" | "vex";
        /** @enum {string} */
        ExemptionState: "requested" | "granted" | "denied" | "expired" | "revoked";
        /**
         * @description What is excused; every given part must fit, `*` at an end is a wildcard. A part that is not known is refused, also
         *     in what was stored: left out, it would excuse more than was meant.
         */
        ExemptionTarget: {
            namespace?: string | null;
            /** @description Package name or purl. */
            package?: string | null;
            /**
             * @description JSON Pointer of the excused element: one container, one volume. Another failing element keeps the
             *     resource unhealthy.
             */
            path?: string | null;
            /** @description `Deployment/web` or an image name; an exemption for one name never leaks to another with the same digest. */
            resource?: string | null;
            /** @description Control or flaw id. */
            rule: string;
        };
        FacetValue: {
            /** Format: int64 */
            count: number;
            /** @description For people, where it is not the value itself. */
            title: string | null;
            /** @description Null counts the alerts without one. */
            value: string | null;
        };
        Feature: {
            description: string;
            id: string;
            /** @description Capabilities of sensors, or `agent`, `sensor`, `audit`. */
            needs: string[];
            os: string[];
            /** @description `hardening`, `vulnerability` or `runtime`. */
            pillar: string;
            /** @description By environment. */
            support: {
                [key: string]: components["schemas"]["Support"];
            };
            title: string;
        };
        Features: {
            /** @description What agents' probes report, by capability: a feature that is claimed but does not work is seen here. */
            capabilities: components["schemas"]["CapabilityCount"][];
            /** @description Whether each feature works in each cluster that the caller may see. */
            clusters: components["schemas"]["ClusterFeatures"][];
            environments: string[];
            features: components["schemas"]["Feature"][];
            /** @description The hub's version. */
            version: string;
        };
        /** @description A field as completions show it. */
        FieldInfo: {
            name: string;
            type: string;
            /** @description The words it takes, where they are closed. */
            values?: string[] | null;
        };
        /** @description A finding as the hub stores it: what is filtered on beside the full detail. */
        Finding: {
            /** @description Cluster display name; `None` for an image seen only in an archive or registry. */
            cluster?: string | null;
            detail: components["schemas"]["Detail"];
            /** Format: double */
            epss?: number | null;
            first: components["schemas"]["Millis"];
            fix_available: boolean;
            id: components["schemas"]["Id"];
            kev: boolean;
            /** @description Stable identity within the scope: control and resource UID, or image and (flaw, purl, layer, owner). */
            key: string;
            kind: components["schemas"]["FindingKind"];
            last: components["schemas"]["Millis"];
            namespace?: string | null;
            package?: string | null;
            reason?: string | null;
            /** @description `Deployment/web`, an image name or a node name. */
            resource: string;
            /** @description UID of the object, key digest of the image, or name of the node. */
            resource_key: string;
            /** Format: int64 */
            revision: number;
            /** @description The control or flaw id. */
            rule: string;
            scope: components["schemas"]["ScopePath"];
            severity: components["schemas"]["Severity"];
            state: components["schemas"]["State"];
            title: string;
        };
        /** @description Unhealthy findings. */
        FindingCounts: {
            control: components["schemas"]["BySeverity"];
            vulnerability: components["schemas"]["BySeverity"];
        };
        /** @enum {string} */
        FindingKind: "control" | "vulnerability";
        FindingLayer: {
            base: boolean;
            diff_id: string;
            /** Format: int32 */
            index: number;
        };
        FindingPackage: {
            layer?: components["schemas"]["FindingLayer"] | null;
            locations: string[];
            name: string;
            /** @description The source package that the advisory is keyed by. */
            origin?: string | null;
            owner?: string | null;
            purl: string;
            version: string;
        };
        /**
         * @description One firing of a detection, as a sensor or agent sends it. The hub joins firings with the same
         *     [`Firing::correlation`] into one open [`Alert`].
         */
        Firing: {
            action: components["schemas"]["AlertAction"];
            actor?: components["schemas"]["Actor"] | null;
            detection: string;
            /**
             * Format: int64
             * @description Records lost within 60 s on that node.
             */
            lost_nearby: number;
            mitre: components["schemas"]["Technique"][];
            object?: components["schemas"]["AlertObject"] | null;
            output: string;
            /** @description Ids of Defender for Containers' alerts with the same meaning. */
            parity: string[];
            /** @description The process first, then its ancestors, nearest first. */
            process: components["schemas"]["ProcessEvidence"][];
            remediation: string;
            severity: components["schemas"]["Severity"];
            /** @description `syscall` or `k8s_audit`. */
            source: string;
            tactics: components["schemas"]["Tactic"][];
            /** @description Epoch milliseconds of the event. */
            time: components["schemas"]["Millis"];
            title: string;
            where: components["schemas"]["Location"];
            /** @description The true branch of the condition. */
            why: components["schemas"]["Why"][];
        };
        Fix: {
            status: components["schemas"]["FixStatus"];
            versions: components["schemas"]["FixVersion"][];
        };
        /** @enum {string} */
        FixStatus: "available" | "in_channel" | "none" | "deferred" | "will_not_fix" | "end_of_life" | "under_investigation" | "unknown";
        FixVersion: {
            channel?: string | null;
            version: string;
        };
        /** @description One control at a scope; counts are of resources. */
        FrameworkControl: {
            /**
             * Format: double
             * @description Resources that satisfy it, of those decided, 0 to 100. `None` where none is.
             */
            compliance?: number | null;
            /**
             * Format: int64
             * @description Mitigated or accepted.
             */
            exempt: number;
            /** Format: int64 */
            failed: number;
            id: string;
            /**
             * Format: int64
             * @description Of those that are exempt: they count as passed in the percentage.
             */
            mitigated: number;
            /** Format: int64 */
            not_applicable: number;
            /** Format: int64 */
            passed: number;
            /** @description Counts in no score. */
            preview: boolean;
            /** @description Of the framework, in its order. */
            sections: string[];
            severity: components["schemas"]["Severity"];
            state: components["schemas"]["ControlState"];
            title: string;
            /** Format: int64 */
            unknown: number;
        };
        /** @description A framework with what stands in it. */
        FrameworkDetail: components["schemas"]["FrameworkEntry"] & {
            sections: components["schemas"]["FrameworkSection"][];
        };
        /** @description A framework at a scope. Verdicts are those of the version that each cluster was judged by. */
        FrameworkEntry: components["schemas"]["ControlStates"] & {
            /**
             * Format: double
             * @description Mean over its controls of the part of resources that satisfy them, 0 to 100; a control without a resource counts
             *     as 100. `None` while nothing is decided.
             */
            compliance?: number | null;
            /**
             * Format: int64
             * @description Stable ones: previews count in no score.
             */
            controls: number;
            /**
             * Format: double
             * @description decided / (decided + unknown) of its questions, 0 to 1. `None` while none was asked.
             */
            coverage?: number | null;
            /** @description `NAME@VERSION`. */
            id: string;
            name: string;
            /**
             * Format: int64
             * @description Sections that no control answers: a person has to look.
             */
            open_sections: number;
            /**
             * Format: double
             * @description How much of what could fail does, by weight, 0 to 100; 0 is best.
             */
            risk?: number | null;
            scope: components["schemas"]["ScopePath"];
            /** @description Where it is published. */
            source: string;
            title: string;
            /** @description The newest that this hub knows. */
            version: string;
        };
        FrameworkSection: {
            /** @description Empty where no control answers it. */
            controls: components["schemas"]["FrameworkControl"][];
            /** @description `None` for controls of a framework without numbers. */
            number?: string | null;
            /** @description Its subject; without a number the framework that it is included from. */
            title?: string | null;
        };
        /**
         * @description How recent the picture of a cluster is.
         * @enum {string}
         */
        Freshness: "fresh" | "stale" | "silent";
        /** @description A time in which requests passed unjudged, because no agent answered. */
        Gap: {
            /** @description Epoch milliseconds of the last moment an agent is known to have answered. */
            from: components["schemas"]["Millis"];
            /** @description `restart`, `unreachable`, `expired` or `timeout`. */
            reason: string;
            /**
             * Format: int64
             * @description Requests the API server let pass unjudged, by its audit events; `None` where no audit reaches the agent.
             */
            requests?: number | null;
            /** @description Of the first moment one answers again. */
            to: components["schemas"]["Millis"];
        };
        GroupScore: {
            group: string;
            /** Format: int64 */
            healthy: number;
            /** Format: double */
            max: number;
            /** Format: double */
            score: number;
            /** Format: int64 */
            unhealthy: number;
            /** Format: int64 */
            unknown: number;
        };
        Hit: {
            id: components["schemas"]["Id"];
            noun: string;
            severity?: components["schemas"]["Severity"] | null;
            subtitle: string;
            title: string;
        };
        Hits: {
            items: components["schemas"]["Hit"][];
        };
        HubInfo: {
            /** @description What the advisory index is made of, or that there is none. */
            feeds_note: string;
            version: string;
        };
        /** @description A UUIDv7 in lower-case hyphenated text; its order is the order of creation. Source: RFC 9562, 5.7. */
        Id: string;
        /**
         * @description How much of "which container" is known.
         * @enum {string}
         */
        Identity: "complete" | "partial" | "pending";
        /** @description An image within one scope: name and digest together, so that what is said of one name never leaks to another. */
        Image: {
            config_digest?: string | null;
            counts?: components["schemas"]["SeverityCounts"] | null;
            coverage_problems: components["schemas"]["Problem"][];
            digest?: string | null;
            distro?: components["schemas"]["Distro"] | null;
            first: components["schemas"]["Millis"];
            /**
             * Format: int64
             * @description Those with a fix.
             */
            fixable?: number | null;
            id: components["schemas"]["Id"];
            index_digest?: string | null;
            last: components["schemas"]["Millis"];
            layers: components["schemas"]["Layer"][];
            name: string;
            /**
             * Format: int64
             * @description `None` until an inventory came: unknown is not zero.
             */
            package_count?: number | null;
            platform?: string | null;
            /** Format: int64 */
            revision: number;
            /** @description Containers of this image that run now, as far as the reader may see them; the first hundred. */
            running: components["schemas"]["RunningPlace"][];
            /**
             * Format: int64
             * @description All of them.
             */
            running_count: number;
            scanned?: components["schemas"]["Millis"] | null;
            scope: components["schemas"]["ScopePath"];
        };
        ImageCounts: {
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            total: number;
            /** Format: int64 */
            with_critical: number;
        };
        /** @description A package of one image with the findings on it. */
        ImagePackage: components["schemas"]["Package"] & {
            counts: components["schemas"]["SeverityCounts"];
        };
        /**
         * @description An image as a node or registry names it. `digest` is the platform manifest's; the other two join what runtimes
         *     and archives report. A docker-save archive has only `config_digest`.
         */
        ImageRef: {
            config_digest?: string | null;
            /** @description `sha256:…` of the platform manifest. */
            digest?: string | null;
            index_digest?: string | null;
            /** @description `registry/repository:tag` as given, or as the runtime stores it. */
            name: string;
        };
        JoinBody: {
            /** @description UID of the `kube-system` namespace; by the token's key where it is absent. */
            cluster_uid?: string | null;
            /** @description PEM. */
            csr: string;
            /** @description A JSON Web Token of the cluster's API server for the audience `seawall`. */
            service_account_token: string;
        };
        Joined: components["schemas"]["Redeemable"] & {
            agent_name: string;
            cluster_name: string;
            cluster_uid: string;
            role: components["schemas"]["AgentRole"];
        };
        /** @description Pods of this service account may join. */
        Joiner: {
            role: components["schemas"]["AgentRole"];
            /** @description `NAMESPACE/NAME` */
            service_account: string;
        };
        /** @description One layer in image order. */
        Layer: {
            /** @description Belongs to the recognised base image. */
            base: boolean;
            /** @description The Dockerfile step that made it, where the config has one. */
            created_by?: string | null;
            /** @description `sha256:…` of the uncompressed tar. */
            diff_id: string;
            /**
             * Format: int64
             * @description Compressed bytes; `None` where the source does not say.
             */
            size?: number | null;
        };
        Location: {
            /** @description Display name of the cluster or machine; its UID until the hub knows the name. */
            cluster: string;
            /** @description The container's name. */
            container?: string | null;
            container_id?: string | null;
            identity: components["schemas"]["Identity"];
            image?: components["schemas"]["ImageRef"] | null;
            namespace?: string | null;
            node?: string | null;
            pod?: string | null;
            pod_uid?: string | null;
            /** @description `Deployment/web`. */
            workload?: string | null;
        };
        /** @description Why it matched: which record, by which rule, what was compared. */
        Match: {
            compared: components["schemas"]["Compared"][];
            feed: string;
            qualifiers: components["schemas"]["Qualifier"][];
            record: string;
            rule: string;
            scheme: string;
            segment: string;
        };
        /** @description The objects of a scope that an assignment is about. Empty lists narrow nothing. */
        Narrowing: {
            /** @default [] */
            excluded_namespaces: string[];
            /**
             * @description `Deployment`, `Pod`, …
             * @default []
             */
            kinds: string[];
            /**
             * @description Every pair has to stand on the object.
             * @default []
             */
            labels: [
                string,
                string
            ][];
            /**
             * @description Names or globs.
             * @default []
             */
            namespaces: string[];
        };
        NewEnrolmentBody: {
            expires?: components["schemas"]["Millis"] | null;
            /** @description Each registration waits until it is accepted. */
            manual_accept?: boolean;
            scope: components["schemas"]["ScopePath"];
            /**
             * Format: int32
             * @description Registrations; 1 if absent.
             */
            uses?: number | null;
        };
        NewExemptionBody: {
            category: components["schemas"]["Category"];
            /** @description Epoch milliseconds. */
            expires: components["schemas"]["Millis"];
            /** @description The caller, if absent. */
            owner?: string | null;
            reason: string;
            scope: components["schemas"]["ScopePath"];
            target: components["schemas"]["ExemptionTarget"];
        };
        NewRoleBody: {
            /** @description At a cluster: only these. Null is all of them. */
            namespaces?: string[] | null;
            principal: components["schemas"]["Principal"];
            role: components["schemas"]["Role"];
            scope: components["schemas"]["ScopePath"];
        };
        NewScopeBody: {
            kind: components["schemas"]["ScopeKind"];
            name: string;
            parent: components["schemas"]["ScopePath"];
        };
        NewTokenBody: {
            /** @description Epoch milliseconds, at most 366 days ahead. */
            expires: components["schemas"]["Millis"];
            name: string;
            namespaces?: string[] | null;
            role: components["schemas"]["Role"];
            scope: components["schemas"]["ScopePath"];
        };
        NewUserBody: {
            name: string;
            /** @description At least 12 characters; the user changes it at the first sign-in. */
            password: string;
        };
        Overview: {
            agents: components["schemas"]["AgentCounts"];
            /** @description Open alerts by severity. */
            alerts: components["schemas"]["BySeverity"];
            clusters: components["schemas"]["ClusterStatus"][];
            /**
             * @description What is missing for a full picture: `no-cluster`, `no-images`, `no-sensor`, `no-index`,
             *     `node-not-covered`.
             */
            empty: string[];
            findings: components["schemas"]["FindingCounts"];
            images: components["schemas"]["ImageCounts"];
            moves: components["schemas"]["ScoreDelta"][];
            scope: components["schemas"]["ScopePath"];
            score: components["schemas"]["Score"];
        };
        /** @description A package instance: one (purl, introducing layer, owner), with every place that shows it. */
        Package: {
            arch?: string | null;
            ecosystem: components["schemas"]["Ecosystem"];
            /**
             * Format: int32
             * @description Index of the introducing layer; `None` outside images.
             */
            layer?: number | null;
            /** @description Paths that show it, sorted. */
            locations: string[];
            /** @description `name:stream` of the rpm module it was built for. */
            module?: string | null;
            /** @description Normalised as the ecosystem does (PEP 503 for PyPI). */
            name: string;
            /** @description The OS package that owns the evidence. Unless that is third-party, the distro's advisories alone judge it. */
            owner?: string | null;
            purl: string;
            source?: components["schemas"]["SourcePackage"] | null;
            /** @description The vendor says it is its own build, not the distro's. */
            third_party: boolean;
            version: string;
        };
        /** @description A package version across the estate. */
        PackageVersion: {
            ecosystem: components["schemas"]["Ecosystem"];
            id: components["schemas"]["Id"];
            /**
             * Format: int64
             * @description Images and nodes that hold it, as far as the reader may see them.
             */
            images: number;
            name: string;
            /** Format: int64 */
            nodes: number;
            version: string;
        };
        Page_Agent: {
            items: {
                /** Format: int64 */
                audit_events?: number;
                capabilities: components["schemas"]["Capability"][];
                /** @description Epoch milliseconds at which the current certificate ends. */
                certificate_expires: components["schemas"]["Millis"];
                cluster: string;
                connected: boolean;
                /** @description Lost records by class since enrolment. */
                dropped: components["schemas"]["Dropped"][];
                first_seen: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                last_audit_event?: components["schemas"]["Millis"] | null;
                last_seen: components["schemas"]["Millis"];
                /**
                 * Format: int64
                 * @description The last batch the hub committed.
                 */
                last_sequence: number;
                /** @description Node name for sensors, pod or host name for cluster agents. */
                name: string;
                revoked: boolean;
                role: components["schemas"]["AgentRole"];
                scope: components["schemas"]["ScopePath"];
                version: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Alert: {
            items: (components["schemas"]["Firing"] & {
                /**
                 * Format: int64
                 * @description Firings joined.
                 */
                count: number;
                dismissal?: components["schemas"]["Dismissal"] | null;
                first: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                last: components["schemas"]["Millis"];
                previous?: components["schemas"]["Id"] | null;
                /**
                 * Format: int64
                 * @description Raised by every change; the `ETag` of the alert.
                 */
                revision: number;
                scope: components["schemas"]["ScopePath"];
                state: components["schemas"]["AlertState"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Asset: {
            items: {
                api_version: string;
                /** @description UID of the `kube-system` namespace; for a machine outside a cluster its machine id. */
                cluster: string;
                /**
                 * @description What matching left out of a node's packages: gaps and errors. `None` while they were not matched, and for what
                 *     holds none.
                 */
                coverage_problems?: components["schemas"]["Problem"][] | null;
                first_seen: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                images: components["schemas"]["ImageRef"][];
                kind: string;
                labels: [
                    string,
                    string
                ][];
                last_seen: components["schemas"]["Millis"];
                name: string;
                namespace?: string | null;
                /** @description Topmost owner as `Kind/name`. */
                owner?: string | null;
                scope: components["schemas"]["ScopePath"];
                /** @description The object's own UID. */
                uid: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Assignment: {
            items: (components["schemas"]["Narrowing"] & {
                action: components["schemas"]["PolicyAction"];
                created: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                /** @description Values of the control's parameters; what is absent has its default. */
                params: Record<string, never>;
                /**
                 * Format: int64
                 * @description Raised by every change; the `ETag`.
                 */
                revision: number;
                scope: components["schemas"]["ScopePath"];
                /** @example control:SW-C-0001 */
                target: string;
                updated: components["schemas"]["Millis"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_AuditEntry: {
            items: {
                action: string;
                actor: string;
                at: components["schemas"]["Millis"];
                detail: unknown;
                /** @description SHA-256 over the previous hash and every field above, each with its length; hexadecimal. */
                hash: string;
                id: components["schemas"]["Id"];
                /**
                 * Format: int64
                 * @description From 1, without holes.
                 */
                position: number;
                previous: string;
                target: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Cluster: {
            items: {
                first_seen: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                /** @description `kubernetes` or `machine`. */
                kind: components["schemas"]["ClusterKind"];
                last_seen: components["schemas"]["Millis"];
                name: string;
                scope: components["schemas"]["ScopePath"];
                uid: string;
                /** @description Server version such as `v1.36.3`. */
                version?: string | null;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_ControlEntry: {
            items: {
                description: string;
                /** @description `NAME` or `NAME@VERSION`. */
                frameworks: string[];
                id: string;
                /** @description Path below `content/controls`. */
                path: string;
                preview: boolean;
                remediation: string;
                score_group: string;
                severity: components["schemas"]["Severity"];
                /** @description YAML, as it lies there. */
                text: string;
                title: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_DetectionEntry: {
            items: {
                description: string;
                id: string;
                mitre: string[];
                /** @description Path below `content/detections`. */
                path: string;
                remediation: string;
                severity: components["schemas"]["Severity"];
                source: string;
                /** @description The tactic whose folder it lies in. */
                tactic: string;
                /** @description YAML, as it lies there. */
                text: string;
                title: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Enrolment: {
            items: {
                /** @description Whether anything was accepted so far. */
                accepted: boolean;
                /** @description UIDs of accepted clusters that have not come back yet, each good for one registration. */
                admitted: string[];
                created: components["schemas"]["Millis"];
                expires: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                /** @description Each registration waits for [`Enrolments::accept_enrolment`]. */
                manual_accept: boolean;
                /** @description The newest [`MAX_REFUSALS`]. */
                refusals: components["schemas"]["EnrolmentRefusal"][];
                /**
                 * Format: int64
                 * @description All refusals, also those no longer listed.
                 */
                refused: number;
                revoked: boolean;
                scope: components["schemas"]["ScopePath"];
                uses: components["schemas"]["EnrolmentUse"][];
                /**
                 * Format: int32
                 * @description Registrations allowed.
                 */
                uses_allowed: number;
                /** @description Clusters that wait for acceptance, newest last; the newest [`MAX_WAITING`]. */
                waiting: components["schemas"]["EnrolmentWaiting"][];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Exemption: {
            items: {
                category: components["schemas"]["Category"];
                created: components["schemas"]["Millis"];
                expires: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                last_match?: components["schemas"]["Millis"] | null;
                /**
                 * Format: int64
                 * @description Findings it excuses now; nothing for seven days warns.
                 */
                matches: number;
                owner: string;
                reason: string;
                /** Format: int64 */
                revision: number;
                scope: components["schemas"]["ScopePath"];
                source: components["schemas"]["ExemptionSource"];
                /** @description `requested` until someone with the right grants it. */
                state: components["schemas"]["ExemptionState"];
                target: components["schemas"]["ExemptionTarget"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Finding: {
            items: {
                /** @description Cluster display name; `None` for an image seen only in an archive or registry. */
                cluster?: string | null;
                detail: components["schemas"]["Detail"];
                /** Format: double */
                epss?: number | null;
                first: components["schemas"]["Millis"];
                fix_available: boolean;
                id: components["schemas"]["Id"];
                kev: boolean;
                /** @description Stable identity within the scope: control and resource UID, or image and (flaw, purl, layer, owner). */
                key: string;
                kind: components["schemas"]["FindingKind"];
                last: components["schemas"]["Millis"];
                namespace?: string | null;
                package?: string | null;
                reason?: string | null;
                /** @description `Deployment/web`, an image name or a node name. */
                resource: string;
                /** @description UID of the object, key digest of the image, or name of the node. */
                resource_key: string;
                /** Format: int64 */
                revision: number;
                /** @description The control or flaw id. */
                rule: string;
                scope: components["schemas"]["ScopePath"];
                severity: components["schemas"]["Severity"];
                state: components["schemas"]["State"];
                title: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_FrameworkControl: {
            items: {
                /**
                 * Format: double
                 * @description Resources that satisfy it, of those decided, 0 to 100. `None` where none is.
                 */
                compliance?: number | null;
                /**
                 * Format: int64
                 * @description Mitigated or accepted.
                 */
                exempt: number;
                /** Format: int64 */
                failed: number;
                id: string;
                /**
                 * Format: int64
                 * @description Of those that are exempt: they count as passed in the percentage.
                 */
                mitigated: number;
                /** Format: int64 */
                not_applicable: number;
                /** Format: int64 */
                passed: number;
                /** @description Counts in no score. */
                preview: boolean;
                /** @description Of the framework, in its order. */
                sections: string[];
                severity: components["schemas"]["Severity"];
                state: components["schemas"]["ControlState"];
                title: string;
                /** Format: int64 */
                unknown: number;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_FrameworkEntry: {
            items: (components["schemas"]["ControlStates"] & {
                /**
                 * Format: double
                 * @description Mean over its controls of the part of resources that satisfy them, 0 to 100; a control without a resource counts
                 *     as 100. `None` while nothing is decided.
                 */
                compliance?: number | null;
                /**
                 * Format: int64
                 * @description Stable ones: previews count in no score.
                 */
                controls: number;
                /**
                 * Format: double
                 * @description decided / (decided + unknown) of its questions, 0 to 1. `None` while none was asked.
                 */
                coverage?: number | null;
                /** @description `NAME@VERSION`. */
                id: string;
                name: string;
                /**
                 * Format: int64
                 * @description Sections that no control answers: a person has to look.
                 */
                open_sections: number;
                /**
                 * Format: double
                 * @description How much of what could fail does, by weight, 0 to 100; 0 is best.
                 */
                risk?: number | null;
                scope: components["schemas"]["ScopePath"];
                /** @description Where it is published. */
                source: string;
                title: string;
                /** @description The newest that this hub knows. */
                version: string;
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Image: {
            items: {
                config_digest?: string | null;
                counts?: components["schemas"]["SeverityCounts"] | null;
                coverage_problems: components["schemas"]["Problem"][];
                digest?: string | null;
                distro?: components["schemas"]["Distro"] | null;
                first: components["schemas"]["Millis"];
                /**
                 * Format: int64
                 * @description Those with a fix.
                 */
                fixable?: number | null;
                id: components["schemas"]["Id"];
                index_digest?: string | null;
                last: components["schemas"]["Millis"];
                layers: components["schemas"]["Layer"][];
                name: string;
                /**
                 * Format: int64
                 * @description `None` until an inventory came: unknown is not zero.
                 */
                package_count?: number | null;
                platform?: string | null;
                /** Format: int64 */
                revision: number;
                /** @description Containers of this image that run now, as far as the reader may see them; the first hundred. */
                running: components["schemas"]["RunningPlace"][];
                /**
                 * Format: int64
                 * @description All of them.
                 */
                running_count: number;
                scanned?: components["schemas"]["Millis"] | null;
                scope: components["schemas"]["ScopePath"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_ImagePackage: {
            items: (components["schemas"]["Package"] & {
                counts: components["schemas"]["SeverityCounts"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_PackageVersion: {
            items: {
                ecosystem: components["schemas"]["Ecosystem"];
                id: components["schemas"]["Id"];
                /**
                 * Format: int64
                 * @description Images and nodes that hold it, as far as the reader may see them.
                 */
                images: number;
                name: string;
                /** Format: int64 */
                nodes: number;
                version: string;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_PolicySetEntry: {
            items: {
                action: components["schemas"]["PolicyAction"];
                created: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                name: string;
                /** Format: int64 */
                revision: number;
                scope: components["schemas"]["ScopePath"];
                /**
                 * Format: int64
                 * @description Bytes of the text.
                 */
                size: number;
                trials: components["schemas"]["TrialSums"];
                updated: components["schemas"]["Millis"];
                /**
                 * Format: int64
                 * @description Raised by every change of the text; trials name it.
                 */
                version: number;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Recommendation: {
            items: {
                /**
                 * Format: int64
                 * @description Unhealthy resources now.
                 */
                affected: number;
                description: string;
                due?: components["schemas"]["Millis"] | null;
                /** Format: int64 */
                exempt: number;
                first: components["schemas"]["Millis"];
                frameworks: string[];
                /** Format: int64 */
                healthy: number;
                id: components["schemas"]["Id"];
                kind: components["schemas"]["FindingKind"];
                last: components["schemas"]["Millis"];
                owner?: string | null;
                remediation: string;
                /** Format: int64 */
                revision: number;
                /** @description The control id, or `update:<ecosystem>/<package>`. */
                rule: string;
                scope: components["schemas"]["ScopePath"];
                score_group?: string | null;
                severity: components["schemas"]["Severity"];
                status: components["schemas"]["Status"];
                title: string;
                /** Format: int64 */
                unknown: number;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_RoleAssignment: {
            items: {
                created: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                /** @description At a cluster the grant may be narrowed to these namespaces; `None` is all of them. */
                namespaces?: string[] | null;
                principal: components["schemas"]["Principal"];
                role: components["schemas"]["Role"];
                scope: components["schemas"]["ScopePath"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Scope: {
            items: {
                created: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                kind: components["schemas"]["ScopeKind"];
                name: string;
                path: components["schemas"]["ScopePath"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_ScoreDelta: {
            items: {
                at: components["schemas"]["Millis"];
                /** @description `1 resource became unhealthy: Privileged container (Deployment/web)`. */
                cause: string;
                /** Format: double */
                from?: number | null;
                id: components["schemas"]["Id"];
                scope: components["schemas"]["ScopePath"];
                /** Format: double */
                to?: number | null;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_StoredDecision: {
            items: (components["schemas"]["Decision"] & {
                /** @description Display name of the cluster. */
                cluster: string;
                id: components["schemas"]["Id"];
                scope: components["schemas"]["ScopePath"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_StoredFiring: {
            items: {
                /** @description For what the hub itself found: the object it found it at. */
                agent: components["schemas"]["Id"];
                alert: components["schemas"]["Id"];
                firing: components["schemas"]["Firing"];
                id: components["schemas"]["Id"];
                /**
                 * Format: int64
                 * @description Position within the batch.
                 */
                index: number;
                scope: components["schemas"]["ScopePath"];
                /** Format: int64 */
                sequence: number;
                time: components["schemas"]["Millis"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_StoredGap: {
            items: (components["schemas"]["Gap"] & {
                cluster: string;
                id: components["schemas"]["Id"];
                scope: components["schemas"]["ScopePath"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_StoredTrial: {
            items: (components["schemas"]["Trial"] & {
                /** @description Display name of the cluster. */
                cluster: string;
                /** @description Stays when a newer trial of the set in the cluster takes its place. */
                id: components["schemas"]["Id"];
                scope: components["schemas"]["ScopePath"];
            })[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_Token: {
            items: {
                created: components["schemas"]["Millis"];
                expires: components["schemas"]["Millis"];
                id: components["schemas"]["Id"];
                last_used?: components["schemas"]["Millis"] | null;
                name: string;
                namespaces?: string[] | null;
                role: components["schemas"]["Role"];
                scope: components["schemas"]["ScopePath"];
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        Page_User: {
            items: {
                created: components["schemas"]["Millis"];
                disabled: boolean;
                id: components["schemas"]["Id"];
                last_sign_in?: components["schemas"]["Millis"] | null;
                /** @description The password must be changed before anything else is allowed. */
                must_change_password: boolean;
                name: string;
                /**
                 * Format: int64
                 * @description Raised by what others change: password and state, not sign-ins. 0 where it was written before there was one.
                 */
                revision?: number;
            }[];
            /** @description Cursor of the next page; `None` at the end. */
            next?: string | null;
            total: components["schemas"]["Total"];
        };
        PasswordChange: {
            current: string;
            /** @description At least 12 characters. */
            new: string;
        };
        /** @description One mistake and its place: a JSON Pointer into the body, or `?name` of a query parameter. */
        Pointed: {
            detail: string;
            pointer: string;
        };
        /**
         * @description What a failing control means for a request.
         * @enum {string}
         */
        PolicyAction: "off" | "audit" | "warn" | "deny";
        /**
         * @description ValidatingAdmissionPolicies with bindings and params, Gatekeeper's templates, constraints and expansions, in force
         *     at a scope and below. Bindings and enforcement actions say what each policy does, `action` the most that any may do.
         */
        PolicySet: {
            /** @description `audit` records what the policies would refuse, `off` leaves them out. */
            action: components["schemas"]["PolicyAction"];
            created: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            name: string;
            /**
             * Format: int64
             * @description Raised by every change; the `ETag`.
             */
            revision: number;
            scope: components["schemas"]["ScopePath"];
            /** @description YAML documents as their authors keep them, at most [`MAX_TEXT`] bytes. */
            text: string;
            updated: components["schemas"]["Millis"];
            /**
             * Format: int64
             * @description Raised by every change of the text; trials name it.
             */
            version: number;
        };
        PolicySetBody: {
            /** @description The most that any policy of the set may do. A new set begins at `audit` or `off`. */
            action?: components["schemas"]["PolicyAction"];
            /** @description One of its scope. */
            name: string;
            scope: components["schemas"]["ScopePath"];
            /**
             * @description YAML documents: ValidatingAdmissionPolicies with bindings and params, Gatekeeper's templates, constraints and
             *     expansions; at most 512 KiB.
             */
            text: string;
        };
        /** @description A set as lists have it: without its text, with what its trials came to. */
        PolicySetEntry: {
            action: components["schemas"]["PolicyAction"];
            created: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            name: string;
            /** Format: int64 */
            revision: number;
            scope: components["schemas"]["ScopePath"];
            /**
             * Format: int64
             * @description Bytes of the text.
             */
            size: number;
            trials: components["schemas"]["TrialSums"];
            updated: components["schemas"]["Millis"];
            /**
             * Format: int64
             * @description Raised by every change of the text; trials name it.
             */
            version: number;
        };
        /** @description Users' policy sets that hold in the cluster, those that are off left out. */
        PolicySetsHealth: {
            /** Format: int64 */
            audit: number;
            /**
             * Format: int64
             * @description By what they may do at most.
             */
            deny: number;
            /** Format: int64 */
            sets: number;
            /**
             * Format: int64
             * @description Whose present text the cluster has not tried.
             */
            untried: number;
            /** Format: int64 */
            warn: number;
        };
        /** @description Who a role is given to. */
        Principal: {
            id: components["schemas"]["Id"];
            /** @enum {string} */
            kind: "user";
        } | {
            /** @enum {string} */
            kind: "group";
            name: string;
        } | {
            id: components["schemas"]["Id"];
            /** @enum {string} */
            kind: "token";
        };
        /** @description A problem with its place. Absent values are null in JSON. */
        Problem: {
            /** @description Stable kebab-case word a script can branch on, such as `unknown-field`. */
            code: string;
            /**
             * Format: int32
             * @description 1-based, in characters.
             */
            column?: number | null;
            file?: string | null;
            /** @description What to do next. */
            help?: string | null;
            /** @description What it concerns: a rule, package, record or object. */
            item?: string | null;
            kind: components["schemas"]["ProblemKind"];
            /**
             * Format: int32
             * @description 1-based.
             */
            line?: number | null;
            message: string;
        };
        /** @description The body of every answer with a status of 400 and over. */
        ProblemDetails: {
            detail: string;
            errors: components["schemas"]["Pointed"][];
            /** @description Also in the log and in the `x-request-id` header. */
            request_id: string;
            /** Format: int32 */
            status: number;
            title: string;
            /** @description `about:blank`, or `/problems/CODE` where a client branches. */
            type: string;
        };
        /**
         * @description How much a problem takes away from the result.
         * @enum {string}
         */
        ProblemKind: "note" | "warning" | "gap" | "error";
        ProcessEvidence: {
            args: string[];
            cwd?: string | null;
            exe: string;
            /** @description Decimal text: 64 bits do not survive JavaScript's numbers. */
            exec_id: string;
            name: string;
            /** Format: int32 */
            pid: number;
            /** @description Epoch milliseconds. */
            start: components["schemas"]["Millis"];
            /** Format: int32 */
            uid: number;
            user?: string | null;
        };
        Qualifier: {
            holds: boolean;
            installed?: string | null;
            kind: string;
            required?: string | null;
        };
        /** @description All findings of one control, or of one package to update, within one scope. */
        Recommendation: {
            /**
             * Format: int64
             * @description Unhealthy resources now.
             */
            affected: number;
            description: string;
            due?: components["schemas"]["Millis"] | null;
            /** Format: int64 */
            exempt: number;
            first: components["schemas"]["Millis"];
            frameworks: string[];
            /** Format: int64 */
            healthy: number;
            id: components["schemas"]["Id"];
            kind: components["schemas"]["FindingKind"];
            last: components["schemas"]["Millis"];
            owner?: string | null;
            remediation: string;
            /** Format: int64 */
            revision: number;
            /** @description The control id, or `update:<ecosystem>/<package>`. */
            rule: string;
            scope: components["schemas"]["ScopePath"];
            score_group?: string | null;
            severity: components["schemas"]["Severity"];
            status: components["schemas"]["Status"];
            title: string;
            /** Format: int64 */
            unknown: number;
        };
        /** @description A recommendation with what it affects. */
        RecommendationDetail: components["schemas"]["Recommendation"] & {
            /** @description Unhealthy first, at most 200. */
            resources: components["schemas"]["Finding"][];
        };
        /** @description Keys that are not known are let pass: a newer agent may say more. */
        RedeemBody: {
            /** @description The role, if absent. */
            agent_name?: string | null;
            /** @description The UID, if absent. */
            cluster_name?: string | null;
            /** @description UID of the `kube-system` namespace, or the machine id. */
            cluster_uid: string;
            /** @description PEM. */
            csr: string;
            /**
             * @description The API server's service-account issuer, its keys (a JSON Web Key Set) and who may join by its tokens: from a
             *     cluster's agent.
             */
            issuer?: string | null;
            joiners?: components["schemas"]["Joiner"][];
            jwks?: Record<string, never> | null;
            kind?: components["schemas"]["ClusterKind"] | null;
            role?: components["schemas"]["AgentRole"] | null;
            /** @description `swe_SECRET.HASH` */
            token: string;
        };
        Redeemable: {
            agent_id: components["schemas"]["Id"];
            /** @description PEM, one certificate each. */
            ca: string[];
            /** @description PEM. */
            certificate: string;
            /** @description `host:port` */
            hub_agents_addr: string;
        };
        /** @enum {string} */
        Refusal: "unknown" | "expired" | "used" | "revoked" | "foreign" | "waiting";
        /** @description The new password, shown this once. */
        ResetPassword: {
            password: string;
        };
        Resource: {
            apiVersion: string;
            kind: string;
            name: string;
            namespace?: string | null;
            /** @description Absent in files. */
            uid?: string | null;
        };
        /**
         * @description The four roles; what each may do is one table in the hub.
         * @enum {string}
         */
        Role: "security_reader" | "security_admin" | "contributor" | "owner";
        /** @description A principal holds a role at a scope and everything below. Grants add up; there is no deny. */
        RoleAssignment: {
            created: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            /** @description At a cluster the grant may be narrowed to these namespaces; `None` is all of them. */
            namespaces?: string[] | null;
            principal: components["schemas"]["Principal"];
            role: components["schemas"]["Role"];
            scope: components["schemas"]["ScopePath"];
        };
        /** @description A container that runs on a node now. */
        RunningContainer: {
            id: string;
            image: components["schemas"]["ImageRef"];
            name?: string | null;
            namespace?: string | null;
            pod?: string | null;
            pod_uid?: string | null;
            workload?: string | null;
        };
        RunningPlace: components["schemas"]["RunningContainer"] & {
            /** @description Display name. */
            cluster: string;
            node: string;
        };
        Scope: {
            created: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            kind: components["schemas"]["ScopeKind"];
            name: string;
            path: components["schemas"]["ScopePath"];
        };
        /** @enum {string} */
        ScopeKind: "organisation" | "account" | "cluster" | "registry" | "node";
        /**
         * @description A place in the tree as `/segment/segment/`, segments lower-case `[a-z0-9._-]+`. The root organisation is
         *     `/org/`. A path is below another if it begins with it; the closing slash keeps `/org/a/` apart from `/org/ab/`.
         */
        ScopePath: string;
        /** @description The secure score of a scope at one moment. */
        Score: {
            at: components["schemas"]["Millis"];
            compliance?: components["schemas"]["Compliance"][];
            /**
             * Format: double
             * @description decided / (decided + unknown); `None` while nothing was assessed.
             */
            coverage?: number | null;
            /**
             * Format: int64
             * @description Questions with an answer, and those without.
             */
            decided?: number;
            groups: components["schemas"]["GroupScore"][];
            /**
             * Format: double
             * @description 0 to 100, 0 is best: how much of what could fail does, by weight of resources and severity of controls.
             */
            risk?: number | null;
            scope: components["schemas"]["ScopePath"];
            /**
             * Format: double
             * @description 0 to 100; `None` while nothing is decided.
             */
            secure?: number | null;
            /** Format: int64 */
            undecided?: number;
        };
        /** @description One move of the score with its cause; replaying the deltas reproduces the score. */
        ScoreDelta: {
            at: components["schemas"]["Millis"];
            /** @description `1 resource became unhealthy: Privileged container (Deployment/web)`. */
            cause: string;
            /** Format: double */
            from?: number | null;
            id: components["schemas"]["Id"];
            scope: components["schemas"]["ScopePath"];
            /** Format: double */
            to?: number | null;
        };
        /** @description Who is signed in and may do what. */
        Session: {
            /** @description What at least one role allows somewhere, of the words of the role table. */
            actions: string[];
            hub: components["schemas"]["HubInfo"];
            roles: components["schemas"]["SessionRole"][];
            user: components["schemas"]["SessionUser"];
        };
        SessionRole: {
            namespaces: string[] | null;
            role: components["schemas"]["Role"];
            scope: components["schemas"]["ScopePath"];
        };
        SessionUser: {
            id: components["schemas"]["Id"];
            must_change_password: boolean;
            name: string;
        };
        /**
         * @description How bad. `Unknown` is a state of its own: it meets no level, yet is shown.
         * @enum {string}
         */
        Severity: "unknown" | "info" | "low" | "medium" | "high" | "critical";
        SeverityCounts: {
            /** Format: int64 */
            critical: number;
            /** Format: int64 */
            high: number;
            /** Format: int64 */
            info: number;
            /** Format: int64 */
            low: number;
            /** Format: int64 */
            medium: number;
            /** Format: int64 */
            unknown: number;
        };
        /** @description A severity with who said so. */
        SeverityOf: {
            level: components["schemas"]["Severity"];
            /** Format: double */
            score?: number | null;
            source?: string | null;
            vector?: string | null;
        };
        SignIn: {
            password: string;
            user: string;
        };
        Source: {
            file: string;
            /**
             * Format: int32
             * @description 1-based, of the object's first line.
             */
            line: number;
        };
        SourcePackage: {
            name: string;
            version: string;
        };
        /** @enum {string} */
        State: "healthy" | "unhealthy" | "not_applicable" | "unknown" | "exempt";
        /**
         * @description Only evidence resolves; nobody closes by hand.
         * @enum {string}
         */
        Status: "open" | "assigned" | "resolved" | "regressed";
        Statuses: {
            items: components["schemas"]["ClusterHealth"][];
        };
        /** @description A decision as the hub stores it. */
        StoredDecision: components["schemas"]["Decision"] & {
            /** @description Display name of the cluster. */
            cluster: string;
            id: components["schemas"]["Id"];
            scope: components["schemas"]["ScopePath"];
        };
        /** @description One firing as stored: which alert it joined, and where it came from. (agent, sequence, index) is unique. */
        StoredFiring: {
            /** @description For what the hub itself found: the object it found it at. */
            agent: components["schemas"]["Id"];
            alert: components["schemas"]["Id"];
            firing: components["schemas"]["Firing"];
            id: components["schemas"]["Id"];
            /**
             * Format: int64
             * @description Position within the batch.
             */
            index: number;
            scope: components["schemas"]["ScopePath"];
            /** Format: int64 */
            sequence: number;
            time: components["schemas"]["Millis"];
        };
        /** @description A gap as the hub stores it. */
        StoredGap: components["schemas"]["Gap"] & {
            cluster: string;
            id: components["schemas"]["Id"];
            scope: components["schemas"]["ScopePath"];
        };
        /** @description The last trial of a set in one cluster, as the hub stores it. */
        StoredTrial: components["schemas"]["Trial"] & {
            /** @description Display name of the cluster. */
            cluster: string;
            /** @description Stays when a newer trial of the set in the cluster takes its place. */
            id: components["schemas"]["Id"];
            scope: components["schemas"]["ScopePath"];
        };
        Support: {
            /** @description The first version that has it. */
            since?: string | null;
            state: components["schemas"]["SupportState"];
        };
        /** @enum {string} */
        SupportState: "ga" | "preview" | "planned" | "unsupported";
        /**
         * @description The fourteen Enterprise tactics of ATT&CK v18, in kill-chain order.
         * @enum {string}
         */
        Tactic: "reconnaissance" | "resource-development" | "initial-access" | "execution" | "persistence" | "privilege-escalation" | "defense-evasion" | "credential-access" | "discovery" | "lateral-movement" | "collection" | "command-and-control" | "exfiltration" | "impact";
        /** @description `T1059` or `T1059.004`. */
        Technique: string;
        /** @description A bearer token as lists show it; its secret is only known to its holder. */
        Token: {
            created: components["schemas"]["Millis"];
            expires: components["schemas"]["Millis"];
            id: components["schemas"]["Id"];
            last_used?: components["schemas"]["Millis"] | null;
            name: string;
            namespaces?: string[] | null;
            role: components["schemas"]["Role"];
            scope: components["schemas"]["ScopePath"];
        };
        Total: {
            /** @description False where counting stopped at [`MAX_EXACT_TOTAL`]. */
            exact: boolean;
            /** Format: int64 */
            value: number;
        };
        /** @description What a set would do in one cluster: all that is there, and the requests that came lately, held against it. */
        Trial: {
            objects: components["schemas"]["Tried"];
            /** @description Documents that did not load, and kinds that are not at hand, in words. */
            problems: string[];
            requests: components["schemas"]["Tried"];
            /** @description At most [`MAX_SAMPLES`], refusals first. */
            samples: components["schemas"]["TrialSample"][];
            set: components["schemas"]["Id"];
            /** @description When it ended. */
            time: components["schemas"]["Millis"];
            /** @description How long it took, in milliseconds. */
            took: components["schemas"]["Millis"];
            /** Format: int64 */
            version: number;
        };
        /** @enum {string} */
        TrialOutcome: "refused" | "warned" | "undecided";
        /** @description One refusal, or one question without an answer. */
        TrialSample: {
            message: string;
            outcome: components["schemas"]["TrialOutcome"];
            /** @description `ValidatingAdmissionPolicy/NAME`, or kind and name of a constraint. */
            policy: string;
            resource: components["schemas"]["Resource"];
            /** @description Who asked, where it was a request. */
            user?: string | null;
        };
        /** @description What the present text would do, over all clusters that tried it and that the caller sees. */
        TrialSums: {
            /** Format: int64 */
            clusters: number;
            objects: components["schemas"]["Tried"];
            requests: components["schemas"]["Tried"];
        };
        /** @description Counts of what was held against a set. */
        Tried: {
            /**
             * Format: int64
             * @description Those that a policy of the set is for.
             */
            judged: number;
            /**
             * Format: int64
             * @description Those that would be refused.
             */
            refused: number;
            /**
             * Format: int64
             * @description Those of which a policy could not tell.
             */
            undecided: number;
            /**
             * Format: int64
             * @description Those that would pass with a warning.
             */
            warned: number;
        };
        /** @description A set with its text, and what it would do by the trials of that text. */
        TriedSet: components["schemas"]["PolicySet"] & {
            trials: components["schemas"]["TrialSums"];
            /**
             * @description Connected clusters at and below the scope that have not tried the text yet, by name, at most 50. The action is not
             *     raised to `warn` or `deny` before none is left.
             */
            untried: string[];
        };
        User: {
            created: components["schemas"]["Millis"];
            disabled: boolean;
            id: components["schemas"]["Id"];
            last_sign_in?: components["schemas"]["Millis"] | null;
            /** @description The password must be changed before anything else is allowed. */
            must_change_password: boolean;
            name: string;
            /**
             * Format: int64
             * @description Raised by what others change: password and state, not sign-ins. 0 where it was written before there was one.
             */
            revision?: number;
        };
        UserPatch: {
            disabled: boolean;
        };
        /** @enum {string} */
        Verdict: "audited" | "warned" | "denied";
        /** @description One flaw in one package instance, as matching returns it and reports print it. */
        VulnFinding: {
            aliases: string[];
            disclosed_by: string;
            epss?: components["schemas"]["Epss"] | null;
            exemption?: components["schemas"]["ExemptionRef"] | null;
            fix: components["schemas"]["Fix"];
            fixed_by?: string | null;
            /** @description The CVE, else the GHSA, else the record's own id. */
            id: string;
            kev?: components["schemas"]["Millis"] | null;
            match: components["schemas"]["Match"];
            package: components["schemas"]["FindingPackage"];
            references: string[];
            severity: components["schemas"]["SeverityOf"];
            state: components["schemas"]["State"];
            title?: string | null;
        };
        /** @description One decisive comparison and the value that made it true. */
        Why: {
            expression: string;
            value?: string | null;
        };
        /**
         * Format: int64
         * @description Epoch milliseconds, UTC.
         */
        Millis: number;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
