//! What the content knows of permissions: risky ones, and what every API server makes itself.
use super::{Access, Bootstrap, Change, Risks};
use crate::world::World;
use seawall_model::Problem;

/// Folder of these files among those a catalogue is loaded from.
pub(crate) const FOLDER: &str = "_rbac/";

#[derive(Debug, Default)]
pub struct Library {
    pub risks: Risks,
    pub bootstrap: Bootstrap,
}

impl Library {
    /// Reads (path, text) pairs: `_bootstrap.yaml`, and one file per risky permission.
    pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Self, Vec<Problem>) {
        let (bootstrap, risks): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(file, _)| file.ends_with("/_bootstrap.yaml"));
        let (risks, mut problems) = Risks::load(risks);
        let mut library = Self { risks, bootstrap: Bootstrap::default() };
        for (file, text) in bootstrap {
            match Bootstrap::load(file, text) {
                Ok(bootstrap) => library.bootstrap = bootstrap,
                Err(problem) => problems.push(*problem),
            }
        }
        (library, problems)
    }

    /// Who may do what among the objects of `world`, and what of them was not understood. Among files the built-in
    /// roles count as there.
    pub(crate) fn access(&self, world: &World<'_>) -> (Access, Vec<String>) {
        let mut access = Access::new(&self.risks);
        if !world.is_whole() {
            access.update(self.bootstrap.roles());
        }
        const GROUP: &str = "rbac.authorization.k8s.io";
        let kinds = ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"];
        let objects = kinds.iter().flat_map(|kind| world.of_kind(GROUP, kind));
        let (_, problems) = access.update(objects.map(|object| Change::Set(object.value())));
        (access, problems)
    }
}
