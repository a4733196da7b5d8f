//! A tree of criteria as the ways to fulfil it: each a list of criteria that all hold.
use super::{Criteria, Criterion};

/// Ways of one definition: SUSE's largest, of the kernel, has some 10,000.
const WAYS: usize = 500_000;

/// Every way, in the order of the document.
pub(super) struct Ways<'d> {
    pub(super) ways: Vec<Vec<&'d Criterion>>,
    /// Parts of the tree that are not understood: what they would have led to is left out.
    pub(super) others: u64,
}

/// `None` if there are more than anyone writes.
pub(super) fn ways(criteria: &Criteria) -> Option<Ways<'_>> {
    let mut others = 0;
    let ways = walk(criteria, &mut others)?;
    Some(Ways { ways, others })
}

fn walk<'d>(criteria: &'d Criteria, others: &mut u64) -> Option<Vec<Vec<&'d Criterion>>> {
    match criteria {
        Criteria::Test(criterion) => Some(vec![vec![criterion]]),
        Criteria::Other => {
            *others += 1;
            Some(Vec::new())
        }
        Criteria::Any(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(walk(item, others)?);
                if all.len() > WAYS {
                    return None;
                }
            }
            Some(all)
        }
        Criteria::All(items) => {
            let mut all: Vec<Vec<&Criterion>> = vec![Vec::new()];
            for item in items {
                let own = walk(item, others)?;
                if all.len().saturating_mul(own.len()) > WAYS {
                    return None;
                }
                let joined = all.iter().flat_map(|way| {
                    own.iter().map(move |more| way.iter().chain(more).copied().collect())
                });
                all = joined.collect();
            }
            Some(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> Criteria {
        Criteria::Test(Criterion { test: name.to_owned(), comment: String::new() })
    }

    #[track_caller]
    fn check(criteria: Criteria, expected: &str) {
        let told = ways(&criteria).map_or("too many".to_owned(), |own| {
            let told =
                |way: &Vec<&Criterion>| way.iter().map(|own| own.test.as_str()).collect::<String>();
            own.ways.iter().map(told).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn trees_become_ways() {
        use Criteria::{All, Any, Other};
        check(test("a"), "a");
        check(
            All(vec![Any(vec![test("a"), test("b")]), Any(vec![test("c"), test("d")])]),
            "ac ad bc bd",
        );
        check(Any(vec![All(vec![test("a"), test("b")]), test("c")]), "ab c");
        check(All(vec![test("a"), Other]), "");
        check(Any(vec![test("a"), Other]), "a");
        let wide = || Any((0..1000).map(|_| test("a")).collect());
        check(All(vec![wide(), wide()]), "too many");
    }
}
