//! Controls that need several objects: their subjects, and the judgement of one among all.
use crate::control::{Control, Judge, group_version};
use crate::evaluate::Judgement;
use crate::native::{Input, Join, Subjects};
use crate::rbac::Permissions;
use crate::workload::{Kind, WORKLOADS};
use crate::world::{Subject, World};
use serde_json::{Map, Value};

impl Control {
    /// The kinds it reads besides its subjects; none for a control of one object.
    pub(crate) fn inputs(&self) -> &'static [Input] {
        match &self.judge {
            Judge::Expressions(_) => &[],
            Judge::Native(native) => native.inputs,
            Judge::Permissions(permissions) => permissions.inputs(),
        }
    }

    /// Whether it looks at objects of that kind, as subjects or beside them; not for a control of one object.
    pub(crate) fn looks_at(&self, group: &str, kind: &str) -> bool {
        let input = |input: &Input| input.reads(group, kind);
        self.subject_kinds().contains(&(group, kind)) || self.inputs().iter().any(input)
    }

    /// (group, kind) of the objects that it judges; none where it judges what no object stands for.
    pub(crate) fn subject_kinds(&self) -> Vec<(&'static str, &'static str)> {
        match &self.judge {
            Judge::Expressions(_) => Vec::new(),
            Judge::Permissions(_) => Permissions::KINDS.to_vec(),
            Judge::Native(native) => match native.subjects {
                Subjects::Workloads => {
                    let kind = |kind: &'static Kind| (group_version(kind.api_version).0, kind.kind);
                    WORKLOADS.iter().map(kind).collect()
                }
                Subjects::Kinds(kinds) => kinds.to_vec(),
                Subjects::Listed(_) => Vec::new(),
            },
        }
    }

    /// Whether it has to see all of its kinds at once: what it judges belongs to no namespace, or nothing that it reads
    /// is told apart by namespace.
    pub(crate) fn is_of_the_whole(&self) -> bool {
        match &self.judge {
            Judge::Expressions(_) => false,
            Judge::Permissions(_) => true,
            Judge::Native(native) => match native.subjects {
                Subjects::Workloads => false,
                Subjects::Listed(_) => true,
                Subjects::Kinds(_) => {
                    let near =
                        |input: &Input| matches!(input.join, Join::Namespace | Join::Through(_));
                    !native.inputs.iter().any(near)
                }
            },
        }
    }

    /// What it judges among the objects of `world`; nothing for a control of one object.
    pub(crate) fn subjects<'w>(&self, world: &World<'w>) -> Vec<Subject<'w>> {
        match &self.judge {
            Judge::Expressions(_) => Vec::new(),
            Judge::Permissions(permissions) => permissions.subjects(world),
            Judge::Native(native) => match native.subjects {
                Subjects::Workloads => world.workloads().map(Subject::of).collect(),
                Subjects::Kinds(kinds) => {
                    let objects = kinds.iter().flat_map(|(group, kind)| world.of_kind(group, kind));
                    objects.map(Subject::of).collect()
                }
                Subjects::Listed(list) => list(world),
            },
        }
    }

    /// Judges one of its subjects. A kind it needs that cannot be read leaves it undecided.
    pub(crate) fn judge_among(
        &self,
        subject: &Subject<'_>,
        world: &World<'_>,
        params: &Map<String, Value>,
    ) -> Judgement {
        world.equip(&self.library);
        for input in self.inputs() {
            if let Some(reason) = world.unseen(input.group, input.kind) {
                let message = format!("objects of kind {} cannot be read", input.kind);
                return Judgement::unknown(reason, message);
            }
        }
        match &self.judge {
            Judge::Expressions(_) => Judgement::unknown("unsupported", "it judges objects alone"),
            Judge::Native(native) => (native.judge)(subject, world, params),
            Judge::Permissions(permissions) => permissions.judge(subject, world, params),
        }
    }
}
