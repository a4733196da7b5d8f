//! Which rules the kernel cannot filter for: every open or connect of the node must come up for them.
use crate::condition::Op;
use crate::event_set::COLLECTED;
use crate::program::{Comparison, Node, NodeId};
use crate::rule::RuleState;
use crate::rule_set::RuleSet;
use crate::source::Source;
use seawall_model::Problem;
use seawall_model::event::EventKind;

/// Fields that the kernel's maps can hold constants of: path, address, port, executable, capability.
const FILTERABLE: &[&str] = &[
    "fd.name",
    "fd.nameraw",
    "fd.directory",
    "fd.filename",
    "fs.path.name",
    "fd.rip",
    "fd.sip",
    "fd.rnet",
    "fd.snet",
    "fd.rport",
    "fd.sport",
    "proc.exepath",
    "proc.name",
    "thread.cap_effective",
];

impl RuleSet {
    /// One `cost` warning for each active rule on opens or connects that offers no such constant. Executions always
    /// come up, so rules on them alone cost nothing more.
    pub fn costs(&self) -> Vec<Problem> {
        // Children come before their parents, so one pass decides all.
        let mut offers: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |id: &NodeId| offers[*id as usize];
            let offer = match node {
                Node::And { children, .. } => children.iter().any(of),
                Node::Or { children, .. } => children.iter().all(of),
                Node::Not(_) => false,
                Node::Check(check) => is_filterable(&check.source) && is_constant(&check.rule),
            };
            offers.push(offer);
        }
        let frequent = |kind: EventKind| matches!(kind, EventKind::Open | EventKind::Connect);
        let busy: Vec<usize> =
            (0..COLLECTED.len()).filter(|bit| frequent(COLLECTED[*bit].1)).collect();
        let active = self.rules.iter().filter(|rule| {
            rule.state == RuleState::Active && busy.iter().any(|bit| rule.live.has(*bit))
        });
        let dear = active.filter(|rule| {
            let steps = rule.sequence.iter().flat_map(|sequence| &sequence.steps);
            steps.chain(&rule.root).any(|root| !offers[*root as usize])
        });
        dear.map(|rule| {
            let message = "no constant path, address, port, executable or capability: every open or connect comes up";
            Problem::warning("cost", message)
                .file(rule.file.clone())
                .at(rule.place.line, rule.place.column)
                .item(rule.name.clone())
        })
        .collect()
    }
}

fn is_filterable(source: &Source) -> bool {
    matches!(source, Source::Field { field, .. } if FILTERABLE.contains(&field.field().name))
}

fn is_constant(rule: &Comparison) -> bool {
    match rule {
        Comparison::Constant { op, .. } => {
            matches!(
                op,
                Op::Eq
                    | Op::In
                    | Op::Intersects
                    | Op::StartsWith
                    | Op::EndsWith
                    | Op::PMatch
                    | Op::Contains
            )
        }
        _ => false,
    }
}
