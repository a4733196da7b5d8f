//! Rules on event sources that are not collected: loaded, checked as far as they can be, and inactive.
use super::text::join;
use super::{Found, Loader, macro_names, visible};
use crate::condition::{Condition, Expr, Right};
use crate::definitions::{Order, RuleDef};
use crate::output::Template;
use crate::parse::Text;
use crate::program;
use seawall_model::Problem;

impl Loader {
    /// Fields of plugins are unknown here, so of a rule on another source all but they can be checked.
    pub(super) fn foreign_rule(
        &mut self,
        def: &RuleDef,
        condition: &Condition,
        source: &str,
    ) -> Result<(), Vec<Found>> {
        let mut found = self.resolve_names(condition, def.order);
        let (text, places) = join(&def.output, &self.sources);
        if let Err(error) = Template::parse(&Text { text: &text, places: &places }, 0)
            && error.0.code != "unknown-field"
        {
            found.push(error);
        }
        if !found.is_empty() {
            return Err(found);
        }
        let place = def.keys.get("source").map_or(def.place, |node| node.place);
        let message = format!("the event source `{source}` is not collected");
        self.report((Problem::warning("inactive", message), place), Some(&def.name));
        Ok(())
    }

    /// Names that a condition of another event source uses: its fields are unknown here, its macros and lists are not.
    fn resolve_names(&mut self, condition: &Condition, order: Order) -> Vec<Found> {
        let mut found = Vec::new();
        for (name, place) in macro_names(condition) {
            match visible(name, order, &self.definitions.macros) {
                Ok(()) => drop(self.used_macros.insert(name.to_owned())),
                Err(problem) => found.push((problem, place)),
            }
        }
        for node in &condition.nodes {
            let Expr::Check(check) = node else { continue };
            match &check.right {
                Right::ListName(name) if !self.lists.contains_key(&name.text) => {
                    found.push((program::unknown_list(&name.text, &self.lists), name.place));
                }
                Right::ListName(name) => drop(self.used_lists.insert(name.text.clone())),
                Right::List(literals) => {
                    let names = literals.iter().filter(|literal| !literal.quoted);
                    let lists = names.filter(|literal| self.lists.contains_key(&literal.text));
                    self.used_lists.extend(lists.map(|literal| literal.text.clone()));
                }
                _ => {}
            }
        }
        found
    }
}
