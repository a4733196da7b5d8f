//! Paths in control files: `containers[*].securityContext.privileged`, relative to the pod spec.
use crate::control::is_list;

/// `[*]` stands for the failing elements of the list before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    /// With `each`, the list; its members are below the element.
    fields: Vec<String>,
    pub(crate) each: bool,
}

impl FieldPath {
    /// `Err` says what is wrong. Only a prelude list at the start may have `[*]`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut fields, mut each) = (Vec::new(), false);
        for (index, part) in text.split('.').enumerate() {
            let field = part.strip_suffix("[*]").unwrap_or(part);
            if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(format!("`{text}` is no path such as hostPID or containers[*].image"));
            }
            if field.len() != part.len() {
                if index > 0 || !is_list(field) {
                    return Err(format!(
                        "`[*]` stands only behind a list of the prelude, not `{field}`"
                    ));
                }
                each = true;
            }
            fields.push(field.to_owned());
        }
        Ok(Self { fields, each })
    }

    /// The first field.
    pub(crate) fn head(&self) -> &str {
        self.fields.first().map_or("", String::as_str)
    }

    /// The fields below the element, or below the pod spec.
    pub(crate) fn tail(&self) -> &[String] {
        if self.each { &self.fields[1..] } else { &self.fields }
    }

    /// Whether the path's list holds the elements of `list`: `containers` holds every kind of container.
    pub(crate) fn stands_for(&self, list: &str) -> bool {
        self.head() == list || (self.head() == "containers" && list.ends_with("ontainers"))
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool, &[&str])>) {
        let path = FieldPath::parse(text);
        let found = path.as_ref().ok().map(|path| {
            (path.head(), path.each, path.tail().iter().map(String::as_str).collect::<Vec<_>>())
        });
        assert_eq!(found, expected.map(|(head, each, tail)| (head, each, tail.to_vec())), "{text}");
    }
    check("hostPID", Some(("hostPID", false, &["hostPID"])));
    check(
        "containers[*].securityContext.privileged",
        Some(("containers", true, &["securityContext", "privileged"])),
    );
    check("volumes[*]", Some(("volumes", true, &[])));
    check("containers[0].image", None);
    check("hosts[*]", None);
    check("containers[*].ports[*].hostPort", None);
    check("", None);
    check("a..b", None);
}
