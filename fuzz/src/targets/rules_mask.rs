//! Masking of secrets: a text masked twice is the text masked once, and a flag's secret never survives.
use super::texts;
use crate::Target;
use seawall_rules::mask::{mask_arguments, mask_text};

pub(crate) const TARGET: Target = Target { name: "rules-mask", run, seeds, rounds: 2_500 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let once = mask_text(&text);
    assert_eq!(mask_text(&once), once);
    let mut arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let count = arguments.len();
    let masked = mask_arguments(&mut arguments);
    assert_eq!(arguments.len(), count);
    assert!(masked || arguments.join(" ") == text);
    let mut flagged =
        vec!["tool".to_owned(), "--password".to_owned(), "hunter2-is-secret".to_owned()];
    flagged.extend(arguments);
    mask_arguments(&mut flagged);
    assert!(!flagged[2].contains("hunter2"), "{flagged:?}");
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "mysql -u root -pS3cr3tPassw0rd --host=db",
        "curl -u user:pass https://user:pass@example.org/?token=abcdef&x=1",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY env --client-secret $SECRET",
        "docker login -p $(cat /run/x) registry.example",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "{\"apiKey\": \"abc\", 'password' : 'x y z'} password=\"quoted value\"",
    ])
}
