//! For which objects another assignment means other parameters.
use super::{Bound, Place, choose};
use crate::control::Control;
use crate::objects::Columns;
use serde_json::{Map, Value};
use std::sync::Arc;

/// One control whose assignments changed.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) control: Arc<Control>,
    /// Those without any.
    pub(crate) default: Map<String, Value>,
    pub(crate) before: Arc<[Bound]>,
    pub(crate) after: Arc<[Bound]>,
}

/// What a change of assignments means for controls that judge objects alone.
#[derive(Debug, Default)]
pub struct Reassigned {
    pub(crate) controls: Vec<Replaced>,
}

impl Reassigned {
    /// Whether it means nothing for any object.
    pub fn is_empty(&self) -> bool {
        self.controls.is_empty()
    }

    /// Whether a control that judges such an object has other parameters for it than before.
    pub fn concerns(&self, columns: &Columns) -> bool {
        let place = Place::of_columns(columns);
        self.controls.iter().any(|replaced| {
            let Replaced { control, default, before, after } = replaced;
            control.concerns_kind(&columns.api_version, &columns.kind, &columns.name)
                && differ(default, before, after, &place)
        })
    }
}

/// Whether parameters that count there are others after than before.
pub(crate) fn differ(
    default: &Map<String, Value>,
    before: &[Bound],
    after: &[Bound],
    place: &Place<'_>,
) -> bool {
    params(default, before, place) != params(default, after, place)
}

/// Every set of parameters that counts there: the default where nothing is assigned.
pub(crate) fn params<'b>(
    default: &'b Map<String, Value>,
    bound: &'b [Bound],
    place: &Place<'_>,
) -> Vec<&'b Map<String, Value>> {
    let chosen = choose(bound, place);
    match chosen.is_empty() {
        true => vec![default],
        false => chosen.into_iter().map(|bound| &bound.params).collect(),
    }
}
