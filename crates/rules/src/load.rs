//! Definitions to a compiled set: lists are flattened, macros compiled after those they name, rules typed and indexed.
mod foreign;
mod text;

use self::text::{join, joined_text, parse};
use crate::condition::{Condition, Expr};
use crate::definitions::{Definitions, MacroDef, Order, RuleDef};
use crate::event_set::{COLLECTED, EventSet};
use crate::exceptions;
use crate::feed::Feed;
use crate::output::Template;
use crate::parse::{Text, unquote};
use crate::program::{Names, NodeId, Program};
use crate::requests::Requests;
use crate::rule::{self, Rule, RuleState, Sequence};
use crate::rule_set::RuleSet;
use crate::suggest::did_you_mean;
use crate::yaml::{self, Place};
use seawall_model::Problem;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

type Found = (Problem, Place);

/// One loading of files. Owns everything until the set is finished.
#[derive(Default)]
pub(crate) struct Loader {
    sources: Vec<yaml::Source>,
    definitions: Definitions,
    problems: Vec<Problem>,
    program: Program,
    lists: HashMap<String, Arc<[String]>>,
    used_lists: HashSet<String>,
    used_macros: HashSet<String>,
    /// `None`: the macro has an error of its own.
    macros: HashMap<String, Option<Compiled>>,
}

/// A condition in the program. Other rules may share its nodes, so what is dead is told where this one says it.
#[derive(Clone)]
struct Compiled {
    root: NodeId,
    /// Indices into [`Program::dead`], those of its macros included.
    dead: Vec<usize>,
}

impl Loader {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let sources = files.iter().map(|(name, text)| yaml::Source::new(name, text)).collect();
        Self { sources, ..Self::default() }
    }

    pub(crate) fn load(mut self) -> (RuleSet, Vec<Problem>) {
        self.read();
        self.compile()
    }

    fn report(&mut self, found: Found, item: Option<&str>) {
        let (mut problem, place) = found;
        if let Some(source) = self.sources.get(place.file as usize) {
            problem = problem.file(source.name.clone()).at(place.line, place.column);
        }
        if let Some(item) = item.filter(|_| problem.item.is_none()) {
            problem = problem.item(item);
        }
        self.problems.push(problem);
    }

    fn read(&mut self) {
        for file in 0..self.sources.len() {
            let (documents, problems) = yaml::parse(file as u32, &self.sources[file]);
            self.problems.extend(problems);
            for document in &documents {
                let yaml::Value::Sequence(items) = &document.value else {
                    if !document.is_null() {
                        let message =
                            format!("a rules file is a list of items, not {}", document.kind());
                        self.report((Problem::error("yaml", message), document.place), None);
                    }
                    continue;
                };
                for item in items {
                    let mut found = Vec::new();
                    self.definitions.add(item, &mut found);
                    found.into_iter().for_each(|problem| self.report(problem, None));
                }
            }
        }
    }

    fn compile(mut self) -> (RuleSet, Vec<Problem>) {
        self.resolve_lists();
        self.compile_macros();
        let rules = std::mem::take(&mut self.definitions.rules);
        let (mut compiled, mut dead) = (Vec::new(), Vec::new());
        let mut ids: HashMap<String, Place> = HashMap::new();
        for def in &rules {
            match self.rule(def) {
                Ok((rule, comparisons)) => {
                    if let Some(id) = &rule.id
                        && ids.insert(id.clone(), rule.place).is_some()
                    {
                        let problem = Problem::error(
                            "duplicate-id",
                            format!("another rule has the id `{id}`"),
                        );
                        self.report((problem, rule.place), Some(&rule.name));
                        continue;
                    }
                    compiled.push(rule);
                    dead.push(comparisons);
                }
                Err(found) => found.into_iter().for_each(|mut problem| {
                    if problem.1.line == 0 {
                        problem.1 = def.place;
                    }
                    self.report(problem, Some(&def.name));
                }),
            }
        }
        self.finish(compiled, &dead)
    }

    /// Flattens lists of lists. A list that contains itself is an error and keeps its other items.
    fn resolve_lists(&mut self) {
        let mut names: Vec<String> = self.definitions.lists.keys().cloned().collect();
        names.sort_unstable();
        let mut open: HashSet<String> = HashSet::new();
        for name in names {
            // Depth first with a stack of (list, children visited).
            let mut stack = vec![(name, false)];
            while let Some((name, visited)) = stack.pop() {
                if self.lists.contains_key(&name) {
                    continue;
                }
                let items = self
                    .definitions
                    .lists
                    .get(&name)
                    .map(|def| def.items.clone())
                    .unwrap_or_default();
                if visited {
                    open.remove(&name);
                    let flat = self.flatten(&name, &items);
                    self.lists.insert(name, flat);
                    continue;
                }
                open.insert(name.clone());
                stack.push((name.clone(), true));
                for item in &items {
                    let inner = item.text().unwrap_or_default();
                    if !self.definitions.lists.contains_key(inner) || self.lists.contains_key(inner)
                    {
                        continue;
                    }
                    if open.contains(inner) {
                        let problem =
                            Problem::error("too-deep", format!("list `{inner}` contains itself"));
                        self.report((problem, item.place), Some(&name));
                        continue;
                    }
                    stack.push((inner.to_owned(), false));
                }
            }
        }
    }

    fn flatten(&mut self, name: &str, items: &[yaml::Node]) -> Arc<[String]> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut flat = Vec::new();
        for item in items {
            let Some(text) = item.text() else {
                let problem =
                    Problem::error("type", format!("a list item is text, not {}", item.kind()));
                self.report((problem, item.place), Some(name));
                continue;
            };
            if let Some(inner) = self.lists.get(text) {
                self.used_lists.insert(text.to_owned());
                flat.extend(inner.iter().filter(|value| seen.insert((*value).clone())).cloned());
            } else if !self.definitions.lists.contains_key(text) {
                let value = unquote(text.trim());
                if seen.insert(value.clone()) {
                    flat.push(value);
                }
            }
        }
        flat.into()
    }

    /// Compiles macros after those they name.
    fn compile_macros(&mut self) {
        let mut names: Vec<String> = self.definitions.macros.keys().cloned().collect();
        names.sort_unstable_by_key(|name| self.definitions.macros[name].order.first);
        let mut parsed: HashMap<String, Option<Condition>> = HashMap::new();
        for name in &names {
            let def = &self.definitions.macros[name];
            let condition = parse(&def.condition, &self.sources);
            let appended = def.condition.get(1).map(|node| node.place);
            match condition {
                Ok(condition) => {
                    self.warn_precedence(&condition, appended, name);
                    parsed.insert(name.clone(), Some(condition));
                }
                Err(found) => {
                    self.report(found, Some(name));
                    parsed.insert(name.clone(), None);
                }
            }
        }
        for name in names {
            let mut stack = vec![(name, false)];
            let mut open: HashSet<String> = HashSet::new();
            while let Some((name, visited)) = stack.pop() {
                if self.macros.contains_key(&name) {
                    continue;
                }
                let condition = parsed.get(&name).and_then(Option::as_ref);
                if !visited && open.insert(name.clone()) {
                    stack.push((name.clone(), true));
                    for (inner, place) in
                        condition.iter().flat_map(|condition| macro_names(condition))
                    {
                        if open.contains(inner)
                            && parsed.contains_key(inner)
                            && !self.macros.contains_key(inner)
                        {
                            let problem = Problem::error(
                                "too-deep",
                                format!("macro `{inner}` contains itself"),
                            );
                            self.report((problem, place), Some(&name));
                        } else if parsed.contains_key(inner) {
                            stack.push((inner.to_owned(), false));
                        }
                    }
                    continue;
                }
                open.remove(&name);
                let order = self.definitions.macros[&name].order;
                let compiled = condition.and_then(|condition| self.add(condition, order, &name));
                self.macros.insert(name, compiled);
            }
        }
    }

    /// Compiles a macro's condition; its errors are reported here.
    fn add(&mut self, condition: &Condition, order: Order, name: &str) -> Option<Compiled> {
        match self.add_condition(condition, order) {
            Ok(compiled) => Some(compiled),
            Err(found) => {
                let place =
                    self.definitions.macros.get(name).map(|def| def.place).unwrap_or_default();
                for (problem, at) in found {
                    self.report((problem, if at.line == 0 { place } else { at }), Some(name));
                }
                None
            }
        }
    }

    fn add_condition(
        &mut self,
        condition: &Condition,
        order: Order,
    ) -> Result<Compiled, Vec<Found>> {
        let (macros, definitions) = (&self.macros, &self.definitions.macros);
        let used = std::cell::RefCell::new(Vec::new());
        let lookup = |name: &str, _: Place| {
            visible(name, order, definitions)?;
            used.borrow_mut().push(name.to_owned());
            macros.get(name).and_then(Option::as_ref).map(|compiled| compiled.root).ok_or_else(
                || Problem::error("unknown-macro", format!("macro `{name}` did not load")),
            )
        };
        let mut names =
            Names { lists: &self.lists, macros: &lookup, used_lists: &mut self.used_lists };
        let before = self.program.dead.len();
        let result = self.program.add(condition, &mut names);
        let used = used.into_inner();
        let mut dead: Vec<usize> = (before..self.program.dead.len()).collect();
        for compiled in used.iter().filter_map(|name| self.macros.get(name)?.as_ref()) {
            dead.extend(&compiled.dead);
        }
        // A macro named twice would double it at every level.
        dead.sort_unstable();
        dead.dedup();
        self.used_macros.extend(used);
        result.map(|root| Compiled { root, dead })
    }

    /// Appended text is joined without parentheses, so a mix of `and` and `or` may mean what nobody wrote.
    fn warn_precedence(&mut self, condition: &Condition, appended: Option<Place>, name: &str) {
        if let (Some(_), Some(place)) = (condition.mixed, appended) {
            let message = "the appended text joins `and` and `or` without parentheses";
            self.report((Problem::warning("precedence", message), place), Some(name));
        }
    }

    /// A rule, and its comparisons in [`Program::dead`].
    fn rule(&mut self, def: &RuleDef) -> Result<(Rule, Vec<usize>), Vec<Found>> {
        let one = |found: Found| vec![found];
        let keys = rule::keys(def).map_err(one)?;
        let mut rule = Rule {
            name: def.name.clone(),
            id: keys.id,
            desc: joined_text(&def.desc),
            source: keys.source,
            priority: keys.priority,
            tags: keys.tags,
            mitre: keys.mitre,
            parity: keys.parity,
            remediation: keys.remediation,
            audit: keys.audit,
            state: if def.enabled { RuleState::Active } else { RuleState::Disabled },
            file: self
                .sources
                .get(def.place.file as usize)
                .map(|source| source.name.clone())
                .unwrap_or_default(),
            place: def.place,
            root: None,
            events: EventSet::NONE,
            live: EventSet::NONE,
            output: Template::default(),
            threshold: None,
            sequence: None,
            tests: keys.tests,
        };
        let mut condition = parse(&def.condition, &self.sources).map_err(one)?;
        self.warn_precedence(&condition, def.condition.get(1).map(|node| node.place), &def.name);
        exceptions::apply(&mut condition, &def.exceptions, &self.sources).map_err(one)?;
        if Feed::of(&rule.source).is_none() {
            self.foreign_rule(def, &condition, &rule.source)?;
            rule.state = RuleState::Inactive;
            return Ok((rule, Vec::new()));
        }
        match self.rule_program(def, &condition, &mut rule) {
            Err(found)
                if keys.skip_unknown
                    && found.iter().all(|(problem, _)| problem.code == "unknown-field") =>
            {
                rule.state = RuleState::Inactive;
                (rule.root, rule.sequence) = (None, None);
                for (problem, place) in found {
                    self.report(
                        (Problem::warning("inactive", problem.message), place),
                        Some(&def.name),
                    );
                }
                Ok((rule, Vec::new()))
            }
            Err(found) => Err(found),
            Ok(dead) => Ok((rule, dead)),
        }
    }

    fn rule_program(
        &mut self,
        def: &RuleDef,
        condition: &Condition,
        rule: &mut Rule,
    ) -> Result<Vec<usize>, Vec<Found>> {
        let one = |found: Found| vec![found];
        let Compiled { root, mut dead } = self.add_condition(condition, def.order)?;
        rule.root = Some(root);
        rule.threshold = rule::threshold(def, &self.sources).map_err(one)?;
        if let Some(keys) = rule::sequence_keys(def, &self.sources).map_err(one)? {
            let mut steps = Vec::new();
            for node in keys.steps {
                let step = parse(std::slice::from_ref(node), &self.sources).map_err(one)?;
                let step = self.add_condition(&step, def.order)?;
                steps.push(step.root);
                dead.extend(step.dead);
            }
            rule.sequence = Some(Sequence { steps, by: keys.by, within: keys.within });
        }
        let steps = rule.sequence.as_ref().map_or(0, |sequence| sequence.steps.len());
        let (text, places) = join(&def.output, &self.sources);
        rule.output =
            Template::parse(&Text { text: &text, places: &places }, steps).map_err(one)?;
        rule.output.give_slots(&mut self.program);
        let by = rule
            .threshold
            .iter_mut()
            .flat_map(|threshold| threshold.by.iter_mut().chain(threshold.distinct.as_mut()));
        for source in by.chain(rule.sequence.iter_mut().flat_map(|sequence| sequence.by.iter_mut()))
        {
            self.program.give_slots(source);
        }
        Ok(dead)
    }

    fn finish(mut self, mut rules: Vec<Rule>, dead: &[Vec<usize>]) -> (RuleSet, Vec<Problem>) {
        let possible = self.program.event_sets(None);
        let live = Feed::ALL.map(|feed| self.program.event_sets(Some(feed)));
        let foreign = Feed::ALL.map(|feed| self.program.with_foreign(feed));
        let mut requests = Vec::new();
        for (index, (rule, comparisons)) in rules.iter_mut().zip(dead).enumerate() {
            let roots = rule.roots();
            let Some(feed) = Feed::of(&rule.source).filter(|_| !roots.is_empty()) else {
                continue;
            };
            let live = &live[feed as usize];
            let union = |sets: &[EventSet]| {
                roots.iter().fold(EventSet::NONE, |all, id| all.or(sets[*id as usize]))
            };
            let never = match feed {
                Feed::Syscall => {
                    rule.events = union(&possible);
                    rule.live = union(live).collected();
                    roots.iter().any(|id| live[*id as usize].collected().is_empty())
                }
                Feed::Audit => roots.iter().any(|id| !live[*id as usize].has_others()),
            };
            if never && rule.state == RuleState::Active {
                rule.state = RuleState::Inactive;
            }
            let foreign = self.program.foreign_below(&roots, feed, &foreign[feed as usize]);
            if feed == Feed::Audit && rule.state != RuleState::Disabled {
                requests.push((index as u32, roots));
            }
            self.report_dead(rule, comparisons, foreign, never);
        }
        self.report_unused();
        let index = (0..=COLLECTED.len())
            .map(|bit| {
                let wanted =
                    |rule: &Rule| rule.state != RuleState::Disabled && rule.events.has(bit);
                (0..rules.len() as u32).filter(|index| wanted(&rules[*index as usize])).collect()
            })
            .collect();
        let mut problems = self.problems;
        let position: HashMap<&str, usize> = self
            .sources
            .iter()
            .enumerate()
            .map(|(index, source)| (source.name.as_str(), index))
            .collect();
        problems.sort_by_key(|problem| {
            let file = problem.file.as_deref().and_then(|file| position.get(file)).copied();
            (file, problem.line, problem.column)
        });
        let slots = self.program.slot_count();
        let requests = Requests::new(&self.program.nodes, &requests);
        (RuleSet { rules, nodes: self.program.nodes, slots, index, requests }, problems)
    }

    /// `never`: the rule as a whole cannot fire.
    fn report_dead(
        &mut self,
        rule: &Rule,
        comparisons: &[usize],
        foreign: Vec<(Place, String)>,
        never: bool,
    ) {
        let consequence =
            if never { "the rule never fires" } else { "the comparison is never true" };
        let comparisons = comparisons.iter().map(|index| &self.program.dead[*index]);
        let mut found: Vec<(Place, String)> = comparisons
            .map(|(_, place, why)| (*place, why.clone()))
            .chain(foreign)
            .map(|(place, why)| (place, format!("{why}: {consequence}")))
            .collect();
        if found.is_empty() && never {
            found.push((
                rule.place,
                "none of its events is collected: the rule never fires".to_owned(),
            ));
        }
        found.sort();
        found.dedup();
        for (place, message) in found {
            self.report((Problem::warning("inactive", message), place), Some(&rule.name));
        }
    }

    fn report_unused(&mut self) {
        let lists =
            self.definitions.lists.iter().filter(|(name, _)| !self.used_lists.contains(*name));
        let macros =
            self.definitions.macros.iter().filter(|(name, _)| !self.used_macros.contains(*name));
        let unused: Vec<(String, Place)> = lists
            .map(|(name, def)| (format!("list `{name}`"), def.place))
            .chain(macros.map(|(name, def)| (format!("macro `{name}`"), def.place)))
            .collect();
        for (what, place) in unused {
            self.report((Problem::warning("unused", format!("nothing names {what}")), place), None);
        }
    }
}

/// Whether something of that order may use the macro.
fn visible(name: &str, order: Order, macros: &HashMap<String, MacroDef>) -> Result<(), Problem> {
    match macros.get(name) {
        Some(def) if def.order.first < order.latest => Ok(()),
        Some(_) => Err(Problem::error(
            "unknown-macro",
            format!("macro `{name}` is defined only further down"),
        )),
        None => {
            let mut problem = Problem::error("unknown-macro", format!("no macro `{name}`"));
            problem.help = did_you_mean(name, macros.keys().map(String::as_str));
            Err(problem)
        }
    }
}

fn macro_names(condition: &Condition) -> impl Iterator<Item = (&str, Place)> {
    condition.nodes.iter().filter_map(|node| match node {
        Expr::Macro { name, place } => Some((name.as_str(), *place)),
        _ => None,
    })
}
