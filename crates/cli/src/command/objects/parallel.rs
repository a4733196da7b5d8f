//! Objects are judged on every processor; the result is the same as on one.
use seawall_posture::report::{Asked, Judged};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Objects that a thread takes at a time: some milliseconds' worth, so that none waits long for the last.
const TAKEN: usize = 32;

/// Every object's judgement, in order.
pub(super) fn judge(asked: &Asked<'_>) -> Vec<Judged> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    on(processors.min(asked.len().div_ceil(TAKEN)), asked)
}

fn on(threads: usize, asked: &Asked<'_>) -> Vec<Judged> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let from = next.fetch_add(TAKEN, Ordering::Relaxed);
            if from >= asked.len() {
                return done;
            }
            let to = asked.len().min(from + TAKEN);
            done.push((from, (from..to).map(|index| asked.judge(index)).collect::<Vec<_>>()));
        }
    };
    let mut parts = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut parts = work();
        for helper in helpers {
            match helper.join() {
                Ok(done) => parts.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(from, _)| *from);
    parts.into_iter().flat_map(|(_, judged)| judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_posture::Request;
    use seawall_posture::manifests::{File, read};
    use seawall_posture::report::{About, Form, Report, Shown};

    #[test]
    fn the_report_is_the_same_on_any_number_of_threads() {
        let entries = seawall_content::controls();
        let controls = entries.iter().map(|entry| (entry.path, entry.text));
        let (catalogue, _) = seawall_posture::Catalogue::load(controls, []);
        let request = Request {
            controls: ["SW-C-0001", "SW-C-0017", "SW-C-0360"].map(str::to_owned).to_vec(),
            ..Request::default()
        };
        let selection = catalogue.select(&request).unwrap();
        let pod = |number: usize| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\nspec: {{containers: [{{name: a, securityContext: {{privileged: {}}}}}]}}\n---\n",
                number.is_multiple_of(3)
            )
        };
        let text: String = (0..5 * TAKEN + 1).map(pod).collect();
        let manifests = read([File { path: "a.yaml", bytes: text.as_bytes(), found: false }]);
        let asked = Asked::new(&manifests, &selection);
        let rendered = |threads: usize| {
            let report = Report::of(&asked, on(threads, &asked), &About::default());
            report.render(Form::Json, Shown::default()).unwrap()
        };
        let alone = rendered(1);
        assert!(alone.contains("p160") && alone == rendered(2) && alone == rendered(7));
    }
}
