//! Installed Ruby gems: `specifications/**/*.gemspec`, which RubyGems writes; `default/` holds those of Ruby itself.
//! Source: rubygems/rubygems `Gem::Specification#to_ruby`, `Gem::StubSpecification`.
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "ruby-gemspec",
    title: "Ruby gem",
    route: Route::Files(&["**/specifications/**/*.gemspec"]),
    max_bytes: 8 * MIB, // Lists of files inflate it, to 200 KiB at worst.
    extract: Extract::Text(extract),
};

/// `s.name = "…".freeze`, else the line `# stub: NAME VERSION PLATFORM PATHS`. Ruby's own default gems are written by
/// hand where they were not generated, with an expression for the version.
fn extract(text: &str, found: &mut Found) {
    let mut stub = text.lines().find_map(|line| line.strip_prefix("# stub: "));
    let mut words = stub.take().unwrap_or_default().split(' ');
    let (stub_name, stub_version) = (words.next(), words.next());
    let name = assigned(text, "name").or(stub_name.filter(|name| !name.is_empty()));
    match (name, assigned(text, "version").or(stub_version)) {
        (Some(name), Some(version)) => {
            found.package(Ecosystem::RubyGems, name, without_platform(version));
        }
        (None, _) => found.unreadable("gemspec has no name"),
        (_, None) => found.unreadable("gemspec has no version that stands in it"),
    }
}

/// The first text in quotes that `.FIELD =` is given.
fn assigned<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (target, value) = line.split_once('=')?;
        let (_, own) = target.trim().rsplit_once('.')?;
        let value = value.trim();
        let value = value.strip_prefix("Gem::Version.new").map_or(value, |rest| rest.trim_start());
        let value = value.trim_start_matches('(').trim_start();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let (literal, _) = value[1..].split_once(quote)?;
        (own == field && !literal.is_empty() && !literal.contains("#{")).then_some(literal)
    })
}

/// `1.15.4-x86_64-linux` is a build of 1.15.4: versions of gems have no hyphen.
pub(super) fn without_platform(version: &str) -> &str {
    version.split('-').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let generated = "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n\nGem::Specification.new do |s|\n  s.name = \"nokogiri\".freeze\n  \
            s.version = \"1.15.4\"\n  s.platform = \"x86_64-linux\".freeze\n\n  s.required_rubygems_version = Gem::Requirement.new(\">= 0\".freeze)\n  s.homepage = \"https://nokogiri.org\"\n  \
            s.add_dependency(%q<racc>.freeze, [\"~> 1.4\"])\nend\n";
        check(&EXTRACTOR, generated, "nokogiri 1.15.4");
        check(
            &EXTRACTOR,
            "Gem::Specification.new do |spec|\n  spec.name    = 'json'\n  spec.version = Gem::Version.new(\"2.6.1\")\nend",
            "json 2.6.1",
        );
        check(
            &EXTRACTOR,
            "# stub: json 2.6.1 ruby lib\nGem::Specification.new do |s|\n  s.name = \"json\"\n  s.version = JSON::VERSION\nend",
            "json 2.6.1",
        );
        check(&EXTRACTOR, "s.name = \"a\"\ns.version = \"1.0-java\"\n", "a 1.0");
    }

    #[test]
    fn broken() {
        check(
            &EXTRACTOR,
            "Gem::Specification.new do |s|\n  s.name = \"a\"\n  s.version = A::VERSION\nend",
            "unreadable",
        );
        check(&EXTRACTOR, "s.name = \"a", "unreadable");
        check(&EXTRACTOR, "s.name = \"a\"\ns.version = \"#{x}\"\n", "unreadable");
        check(&EXTRACTOR, "", "unreadable");
        check(&EXTRACTOR, b"\xff\xfe", "unreadable");
    }
}
