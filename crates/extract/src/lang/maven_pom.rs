//! `pom.xml`: what a Maven project says it depends on. Source: Maven "POM Reference".
//!
//! A POM is no lock file: what its dependencies depend on, and versions that a parent sets, stand elsewhere. Properties
//! and `dependencyManagement` of the file itself are followed; a version that stays open is a gap. Dependencies of
//! scope `test` count, see `npm_lock`.
use super::xml::{self, Element};
use crate::prelude::*;
use std::collections::HashMap;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "maven-pom",
    title: "Maven project",
    route: Route::Locked(&["**/pom.xml"]),
    max_bytes: 16 * MIB, // The largest, of application servers, take 300 KiB.
    extract: Extract::Text(extract),
};

/// Properties within properties; Maven refuses cycles.
const MAX_SUBSTITUTIONS: usize = 16;

#[derive(Default, Clone)]
struct Dependency {
    group: String,
    artifact: String,
    version: String,
    scope: String,
}

#[derive(Default)]
struct Pom {
    properties: HashMap<String, String>,
    current: Dependency,
    dependencies: Vec<Dependency>,
    managed: Vec<Dependency>,
}

fn extract(text: &str, found: &mut Found) {
    let mut pom = Pom::default();
    xml::elements(text, found, &mut |element, _| pom.element(element));
    let managed: HashMap<(String, String), String> = pom
        .managed
        .iter()
        .map(|own| ((pom.resolve(&own.group), pom.resolve(&own.artifact)), own.version.clone()))
        .collect();
    for dependency in &pom.dependencies {
        let (group, artifact) = (pom.resolve(&dependency.group), pom.resolve(&dependency.artifact));
        let version = match dependency.version.as_str() {
            "" => managed.get(&(group.clone(), artifact.clone())).map_or("", String::as_str),
            own => own,
        };
        let version = pom.resolve(version);
        let name = format!("{group}:{artifact}");
        match exact(&version) {
            Some(version) if !name.contains("${") => {
                found.package(Ecosystem::Maven, name, version);
            }
            _ => found.unlocked(&name),
        }
    }
}

impl Pom {
    fn element(&mut self, element: &Element) {
        let path: Vec<_> = element.path.iter().map(String::as_str).collect();
        let text = element.text.clone();
        match path.as_slice() {
            ["project", field @ ("groupId" | "artifactId" | "version")] => {
                self.properties.insert(format!("project.{field}"), text);
            }
            ["project", "parent", field @ ("groupId" | "artifactId" | "version")] => {
                // A project inherits what it does not say.
                self.properties.entry(format!("project.{field}")).or_insert(text.clone());
                self.properties.insert(format!("project.parent.{field}"), text);
            }
            ["project", "properties", name] => {
                self.properties.insert((*name).to_owned(), text);
            }
            [.., "dependencies", "dependency", "groupId"] => self.current.group = text,
            [.., "dependencies", "dependency", "artifactId"] => self.current.artifact = text,
            [.., "dependencies", "dependency", "version"] => self.current.version = text,
            [.., "dependencies", "dependency", "scope"] => self.current.scope = text,
            [above @ .., "dependencies", "dependency"] => self.dependency(above),
            _ => {}
        }
    }

    /// Dependencies of the project and of its profiles; those of plug-ins run in Maven.
    fn dependency(&mut self, above: &[&str]) {
        let dependency = std::mem::take(&mut self.current);
        match above {
            ["project"] | ["project", "profiles", "profile"] => self.dependencies.push(dependency),
            // With scope `import` it is a list of versions, and nothing to link.
            [.., "dependencyManagement"] if dependency.scope != "import" => {
                self.managed.push(dependency);
            }
            _ => {}
        }
    }

    /// `text` with the values of its `${…}`, as far as they are known.
    fn resolve(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..MAX_SUBSTITUTIONS {
            let Some((before, rest)) = text.split_once("${") else { break };
            let Some((name, after)) = rest.split_once('}') else { break };
            let name =
                name.strip_prefix("pom.").map_or(name.to_owned(), |rest| format!("project.{rest}"));
            let Some(value) = self.properties.get(&name) else { break };
            // Properties that double each other would fill the memory.
            if before.len() + value.len() + after.len() > 4 * KIB as usize {
                break;
            }
            text = format!("{before}{value}{after}");
        }
        text
    }
}

/// `1.2`, and `[1.2]`, which allows nothing else; not a range, not a property.
fn exact(version: &str) -> Option<&str> {
    let version =
        version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version);
    let open = version.is_empty()
        || version.contains(['[', ']', '(', ')', ',', '$', ' '])
        || matches!(version, "LATEST" | "RELEASE");
    (!open).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POM: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>2.0</version></parent>
  <artifactId>app</artifactId>
  <properties>
    <log4j.version>2.14.1</log4j.version>
    <indirect>${log4j.version}</indirect>
  </properties>
  <dependencyManagement>
    <dependencies>
      <dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId><version>31.0-jre</version></dependency>
      <dependency><groupId>org.example</groupId><artifactId>bom</artifactId><version>1</version><type>pom</type><scope>import</scope></dependency>
      <dependency><groupId>not</groupId><artifactId>used</artifactId><version>1</version></dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${indirect}</version>
      <exclusions><exclusion><groupId>x</groupId><artifactId>y</artifactId></exclusion></exclusions>
    </dependency>
    <dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4.12]</version><scope>test</scope></dependency>
    <dependency><groupId>a</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>
    <dependency><groupId>a</groupId><artifactId>of-parent</artifactId></dependency>
  </dependencies>
  <build><plugins><plugin><dependencies>
    <dependency><groupId>in</groupId><artifactId>maven</artifactId><version>1</version></dependency>
  </dependencies></plugin></plugins></build>
</project>"#;

    #[test]
    fn table() {
        let read = "org.apache.logging.log4j:log4j-core 2.14.1, com.google.guava:guava 31.0-jre, \
            org.example:sibling 2.0, junit:junit 4.12";
        check(&EXTRACTOR, POM, &format!("{read}; 2 unlocked"));
        let cut = &POM[..POM.find("<dependency><groupId>a<").unwrap()];
        check(&EXTRACTOR, cut, &format!("{read}; problem at line 24"));
        check(&EXTRACTOR, "<project/>", "");
        check(&EXTRACTOR, "", "");
    }

    #[test]
    fn properties_that_name_each_other_end() {
        let pom = "<project><properties><a>${b}${b}</a><b>${a}${a}</b></properties><dependencies><dependency>\
            <groupId>g</groupId><artifactId>a</artifactId><version>${a}</version></dependency></dependencies></project>";
        check(&EXTRACTOR, pom, "1 unlocked");
    }
}
