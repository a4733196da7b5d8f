//! Controls that need several objects: their subjects, and the judgement of one among all.
use crate::control::{Control, Judge, group_version};
use crate::evaluate::Judgement;
use crate::native::{Input, Subjects};
use crate::workload::WORKLOADS;
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
        let input = |input: &Input| input.group == group && input.kind == kind;
        let subject = match &self.judge {
            Judge::Native(native) => match native.subjects {
                Subjects::Workloads => WORKLOADS.iter().any(|workload| {
                    group_version(workload.api_version).0 == group && workload.kind == kind
                }),
                Subjects::Kinds(kinds) => kinds.contains(&(group, kind)),
                Subjects::Listed(_) => false,
            },
            Judge::Expressions(_) | Judge::Permissions(_) => false,
        };
        subject || self.inputs().iter().any(input)
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
