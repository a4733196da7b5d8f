//! Controls on permissions that are data: `match: {permissions: …}`.
use crate::evaluate::Judgement;
use crate::native::Input;
use crate::world::{Subject, World};
use serde_json::{Map, Value};

/// What `permissions:` of a control file says.
#[derive(Debug)]
pub(crate) enum Permissions {}

impl Permissions {
    /// Reads the value behind `permissions:`; `Err` says what is wrong.
    pub(crate) fn read(_value: &Value) -> Result<Self, String> {
        Err("controls on permissions are not known to this version".to_owned())
    }

    /// What it reads besides its subjects.
    pub(crate) fn inputs(&self) -> &'static [Input] {
        match *self {}
    }

    pub(crate) fn subjects<'w>(&self, _world: &World<'w>) -> Vec<Subject<'w>> {
        match *self {}
    }

    pub(crate) fn judge(
        &self,
        _subject: &Subject<'_>,
        _world: &World<'_>,
        _params: &Map<String, Value>,
    ) -> Judgement {
        match *self {}
    }
}
