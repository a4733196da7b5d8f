//! Paths in control files: `containers[*].ports[*].hostPort`, relative to the pod spec or to the object;
//! `podMeta.annotations` are those of the pod or its template.

/// `[*]` stands for the failing elements of the list before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    /// The fields up to and with each list, then what is below the innermost element.
    lists: Vec<Vec<String>>,
    tail: Vec<String>,
}

impl FieldPath {
    /// `Err` says what is wrong. A key with other characters than letters and digits is written `['a.b/c']`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no path such as hostPID or containers[*].image");
        let (mut lists, mut fields) = (Vec::new(), Vec::new());
        let mut rest = text;
        loop {
            if let Some(quoted) = rest.strip_prefix("['") {
                let (key, after) = quoted.split_once("']").ok_or_else(wrong)?;
                fields.push(key.to_owned());
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(wrong());
                }
                fields.push(field.to_owned());
                rest = after;
            }
            if let Some(after) = rest.strip_prefix("[*]") {
                lists.push(std::mem::take(&mut fields));
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Self { lists, tail: fields }),
                None if rest.starts_with("['") => {}
                None => return Err(wrong()),
            }
        }
    }

    /// How many `[*]` it has.
    pub(crate) fn depth(&self) -> usize {
        self.lists.len()
    }

    /// The fields below the innermost element, or below the root, which may be the pod's metadata.
    pub(crate) fn tail(&self) -> &[String] {
        &self.tail[usize::from(self.is_pod_meta())..]
    }

    /// Whether it leads into the metadata beside the pod spec; no pod spec has such a field.
    pub(crate) fn is_pod_meta(&self) -> bool {
        self.lists.is_empty() && self.tail.first().is_some_and(|head| head == "podMeta")
    }

    /// The fields from one element, or from the root, to the list within it.
    pub(crate) fn list(&self, depth: usize) -> &[String] {
        &self.lists[depth]
    }

    /// Whether it leads through these lists, as far as both go. `containers` holds every kind of container.
    pub(crate) fn goes_through(&self, lists: &[Vec<String>]) -> bool {
        self.lists.iter().zip(lists).all(|(own, other)| match (own.as_slice(), other.as_slice()) {
            ([own], [other]) => own == other || own == "containers" && other.ends_with("ontainers"),
            (own, other) => own == other,
        })
    }

    /// How many lists, from the root on, both go through.
    pub(crate) fn shared_lists(&self, other: &Self) -> usize {
        self.lists.iter().zip(&other.lists).take_while(|(own, other)| own == other).count()
    }

    /// Whether both are below the elements of one list.
    pub(crate) fn shares_list(&self, other: &Self) -> bool {
        self.shared_lists(other) > 0
    }

    /// The lists, as they are written.
    pub(crate) fn shown_lists(&self) -> String {
        self.lists.iter().map(|fields| fields.join(".")).collect::<Vec<_>>().join("[*].")
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: Option<(&[&[&str]], &[&str])>) {
        let path = FieldPath::parse(text);
        let expected = expected.map(|(lists, tail)| {
            let owned = |fields: &[&str]| fields.iter().map(ToString::to_string).collect();
            FieldPath {
                lists: lists.iter().map(|fields| owned(fields)).collect(),
                tail: owned(tail),
            }
        });
        assert_eq!(path.ok(), expected, "{text}");
    }
    check("hostPID", Some((&[], &["hostPID"])));
    check(
        "containers[*].securityContext.privileged",
        Some((&[&["containers"]], &["securityContext", "privileged"])),
    );
    check("volumes[*]", Some((&[&["volumes"]], &[])));
    check(
        "spec.rules[*].http.paths[*].path",
        Some((&[&["spec", "rules"], &["http", "paths"]], &["path"])),
    );
    check("metadata.annotations['a.b/c']", Some((&[], &["metadata", "annotations", "a.b/c"])));
    check("containers[0].image", None);
    check("", None);
    check("a..b", None);
    check("a['b", None);
}
