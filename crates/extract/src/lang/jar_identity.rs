//! Which Maven module a jar without a `pom.properties` of its own is: by its manifest and its file name.
//! Source: Oracle "JAR File Specification", "Main Attributes"; OSGi Core, "Bundle Manifest Headers".
//!
//! Nothing is guessed from product names: a group comes from an identifier, or the file name stands for itself.

/// `NAME-VERSION.jar`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    artifact: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> FileName<'a> {
    /// The version begins behind the first hyphen that a digit follows.
    pub(super) fn parse(name: &'a str) -> Self {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let hyphens = stem.match_indices('-').map(|(at, _)| at);
        let mut starts =
            hyphens.filter(|at| stem[at + 1..].starts_with(|next: char| next.is_ascii_digit()));
        match starts.next() {
            Some(at) if at > 0 => {
                Self { artifact: Some(&stem[..at]), version: Some(&stem[at + 1..]) }
            }
            _ => Self { artifact: Some(stem).filter(|stem| !stem.is_empty()), version: None },
        }
    }

    pub(super) fn is_of(&self, artifact: &str) -> bool {
        self.artifact == Some(artifact)
    }
}

/// The attributes of a manifest that identify.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// `Implementation-Vendor-Id`, which Maven fills with the group.
    vendor_id: Option<String>,
    implementation_version: Option<String>,
    implementation_title: Option<String>,
    symbolic_name: Option<String>,
    bundle_version: Option<String>,
    specification_version: Option<String>,
}

impl Manifest {
    /// The main section alone; a line that begins with a blank goes on with the one before.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines().take_while(|line| !line.trim().is_empty()) {
            match (line.strip_prefix(' '), lines.last_mut()) {
                (Some(rest), Some(last)) => last.push_str(rest),
                _ => lines.push(line.to_owned()),
            }
        }
        let mut manifest = Self::default();
        for (name, value) in lines.iter().filter_map(|line| line.split_once(':')) {
            let field = match name.trim().to_ascii_lowercase().as_str() {
                "implementation-vendor-id" => &mut manifest.vendor_id,
                "implementation-version" => &mut manifest.implementation_version,
                "implementation-title" => &mut manifest.implementation_title,
                "bundle-symbolicname" => &mut manifest.symbolic_name,
                "bundle-version" => &mut manifest.bundle_version,
                "specification-version" => &mut manifest.specification_version,
                _ => continue,
            };
            // Directives of OSGi follow a semicolon; a build that did not fill a value in leaves its name.
            let value = value.split(';').next().unwrap_or_default().trim();
            *field =
                Some(value.to_owned()).filter(|value| !value.is_empty() && !value.contains("${"));
        }
        manifest
    }
}

/// `group:artifact` and version.
pub(super) fn identity(file: &FileName<'_>, manifest: &Manifest) -> Option<(String, String)> {
    let version = manifest
        .implementation_version
        .as_deref()
        .filter(|version| is_version(version))
        // A bundle's version has four parts of which the last is a build's time; the file's is the published one.
        .or(file.version)
        .or(manifest.bundle_version.as_deref())
        .or(manifest.specification_version.as_deref())
        .filter(|version| is_version(version))?;
    let title = manifest.implementation_title.as_deref().filter(|title| is_id(title));
    let bundle = manifest.symbolic_name.as_deref().filter(|name| is_id(name));
    // The file's own name counts where it has a version, or nothing else is known: `app.jar` may be any.
    let artifact = match (file.artifact, file.version) {
        (Some(artifact), Some(_)) => artifact,
        _ => title.or_else(|| bundle.and_then(|name| name.rsplit('.').next()))?,
    };
    // The bundle plug-in of Maven joins group and artifact, `org.apache.commons` and `lang3`.
    let of_bundle = || bundle.and_then(|name| name.rsplit_once('.')).map(|(group, _)| group);
    let group =
        manifest.vendor_id.as_deref().filter(|id| is_id(id) && id.contains('.')).or_else(of_bundle);
    // Maven's oldest modules, `log4j:log4j` or `commons-io:commons-io`, are called like their group.
    let group = group.unwrap_or(artifact);
    Some((format!("{group}:{artifact}"), version.to_owned()))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(char::is_whitespace)
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, manifest: &str, expected: Option<(&str, &str)>) {
        let actual = identity(&FileName::parse(file), &Manifest::parse(manifest));
        let actual = actual.as_ref().map(|(name, version)| (name.as_str(), version.as_str()));
        assert_eq!(actual, expected, "{file} {manifest}");
    }

    #[test]
    fn file_names() {
        #[track_caller]
        fn check(name: &str, artifact: &str, version: Option<&str>) {
            let expected = FileName { artifact: Some(artifact), version };
            assert_eq!(FileName::parse(name), expected);
        }
        check("log4j-core-2.14.1.jar", "log4j-core", Some("2.14.1"));
        check("guava-31.0-jre.jar", "guava", Some("31.0-jre"));
        check("log4j-1.2-api-2.0.jar", "log4j", Some("1.2-api-2.0"));
        check("app.jar", "app", None);
        check("-1.jar", "-1", None);
        assert_eq!(FileName::parse(""), FileName::default());
    }

    #[test]
    fn table() {
        let spring = "Manifest-Version: 1.0\r\nImplementation-Title: spring-core\r\nImplementation-Version: 5.3.9\r\n\r\nName: a\r\n";
        check("spring-core-5.3.9.jar", spring, Some(("spring-core:spring-core", "5.3.9")));
        check("renamed.jar", spring, Some(("spring-core:spring-core", "5.3.9")));
        let vendor = "Implementation-Vendor-Id: org.apache.tomcat\nImplementation-Version: 9.0.1\n";
        check("catalina-9.0.1.jar", vendor, Some(("org.apache.tomcat:catalina", "9.0.1")));
        check("catalina.jar", vendor, None);
        let bundle = "Bundle-SymbolicName: org.apache.commons.lang3;singleton\n :=true\nBundle-Version: 3.12.0\n";
        check(
            "commons-lang3-3.12.0.jar",
            bundle,
            Some(("org.apache.commons:commons-lang3", "3.12.0")),
        );
        check("x.jar", bundle, Some(("org.apache.commons:lang3", "3.12.0")));
        check("log4j-1.2.17.jar", "", Some(("log4j:log4j", "1.2.17")));
        check("app.jar", "Main-Class: a.B\n", None);
        check("a-1.0.jar", "Implementation-Version: ${project.version}\n", Some(("a:a", "1.0")));
        check("a-1.0.jar", "Implementation-Version: build of today\n", Some(("a:a", "1.0")));
        check("", "Implementation-Version: 1\n", None);
    }
}
