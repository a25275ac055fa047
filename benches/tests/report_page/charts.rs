//! What is drawn, and what hides.

use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::browser::{Browser, chromium};
use crate::record::{LANES, page};
use crate::tools::trial_with;

pub fn trials() -> Vec<Trial> {
    vec![
        trial_with("every_chart_is_drawn_and_nothing_is_fetched", chromium, every_chart),
        trial_with("a_lane_that_is_hidden_is_hidden_everywhere", chromium, hidden_everywhere),
        trial_with("the_value_is_shown_under_the_pointer", chromium, value_under_pointer),
        trial_with("timelines_show_either_client", chromium, either_client),
    ]
}

/// For each view: the chart, its workload, and how many marks it has.
const MARKS: &str = r#"
[...document.querySelectorAll("figure[data-chart]")].flatMap((figure) =>
  [...figure.querySelectorAll(".view")].map((view) => [
    figure.dataset.chart,
    figure.dataset.workload || "",
    view.querySelectorAll("svg .role-mark.mark-symbol path").length,
    view.querySelectorAll("svg .role-mark.mark-rect path").length,
  ]))
"#;

fn every_chart(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "light");
    browser.evaluate("drawAll()");
    let views = browser.evaluate(MARKS);
    let views = views.as_array().unwrap();
    let of = |chart: &str, workload: &str| -> Vec<&Value> {
        views.iter().filter(|view| view[0] == chart && view[1] == workload).collect()
    };
    for view in views {
        let marks = view[2].as_u64().unwrap() + view[3].as_u64().unwrap();
        assert!(marks > 0, "nothing is drawn in {view}");
    }
    for (chart, workload) in [
        ("wall", "tasks"),
        ("cpu", "tasks"),
        ("rss", "tasks"),
        ("slopes", "tasks"),
        ("service", "tasks"),
        ("wall", "loads"),
        ("wall", "one"),
        ("cpu", "rate"),
        ("latency", "rate"),
    ] {
        assert_eq!(of(chart, workload).len(), 2, "{chart} of {workload}, with either client");
    }
    assert_eq!(of("timeline", "").len(), LANES.len(), "a lane each");
    assert_eq!(of("wall", "rate").len(), 0, "a schedule gives the wall");
    // A point for each lane at each load.
    assert_eq!(of("wall", "tasks")[0][2], json!(LANES.len() * 3));
    let claims = browser.evaluate("document.getElementById('claims').textContent");
    let none = "This record has no samples for any of their claims";
    assert!(claims.as_str().is_some_and(|text| text.contains(none)), "{claims}");
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
    assert_eq!(browser.requests(), [format!("file://{}", page.display())]);
}

/// How often a lane is seen: in rows and cards, and by its colour in charts.
fn seen(browser: &mut Browser, lane: &str, colour: &str) -> (u64, u64) {
    let rows = format!(
        r#"[...document.querySelectorAll('[data-lane="{lane}"]')]
             .filter((shown) => getComputedStyle(shown).display !== "none").length"#
    );
    let marks = format!(
        r#"[...document.querySelectorAll(".panels svg [fill], .panels svg [stroke]")]
             .filter((mark) => [mark.getAttribute("fill"), mark.getAttribute("stroke")]
               .includes("{colour}")).length"#
    );
    let mut count = |script: &str| browser.evaluate(script).as_u64().unwrap();
    (count(&rows), count(&marks))
}

fn hidden_everywhere(chromium: PathBuf) {
    let (page, _) = page();
    let (lane, colour) = ("stackful/hub", report::palette::colour("stackful/hub"));
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "light");
    browser.evaluate("drawAll()");
    let before = seen(&mut browser, lane, colour);
    assert!(before.0 > 10 && before.1 > 10, "{before:?}");

    let press = format!(r#"document.querySelector('[data-toggle="{lane}"]').click()"#);
    browser.evaluate(&press);
    browser.evaluate("drawAll()");
    assert_eq!(seen(&mut browser, lane, colour), (0, 0));
    let hash = browser.evaluate("location.hash");
    assert_eq!(hash, "#off=stackful%2Fhub");

    // Whoever is sent the address sees the same.
    browser.open(&page, hash.as_str().unwrap(), 1280, "light");
    browser.evaluate("drawAll()");
    assert_eq!(seen(&mut browser, lane, colour), (0, 0));
    browser.evaluate(&press);
    browser.evaluate("drawAll()");
    assert_eq!(seen(&mut browser, lane, colour), before);
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
}

fn value_under_pointer(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "light");
    // Drawn, and in the middle of the window: where it is then it stays.
    browser.evaluate("drawAll()");
    let place = browser.evaluate(
        r#"(() => {
             document.documentElement.style.scrollBehavior = "auto";
             const chart = document.querySelector('[data-chart="wall"][data-workload="tasks"]');
             chart.scrollIntoView({ block: "center" });
             const box = chart.querySelector("svg .mark-symbol.role-mark path").getBoundingClientRect();
             return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
           })()"#,
    );
    let moved = json!({ "type": "mouseMoved", "x": place["x"], "y": place["y"] });
    browser.call("Input.dispatchMouseEvent", moved);
    let told = browser.evaluate("tooltip.hidden ? '' : tooltip.textContent");
    let told = told.as_str().unwrap();
    assert!(LANES.iter().any(|lane| told.starts_with(lane)), "{told}");
    assert!(told.contains("N=4 C=4") && told.contains("samples"), "{told}");
}

fn either_client(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "light");
    let labels = r#"(drawAll(), [...document.querySelectorAll('[data-chart="timeline"] .view')]
        .map((view) => view.getAttribute("aria-label")))"#;
    let is_of = |labels: &Value, client: &str| {
        let labels = labels.as_array().unwrap();
        labels.len() == LANES.len()
            && labels
                .iter()
                .all(|label| label.as_str().unwrap().ends_with(&format!("{client} client")))
    };
    let first = browser.evaluate(labels);
    assert!(is_of(&first, "library"), "{first}");
    browser.evaluate(
        r#"(() => {
             const select = document.querySelector('[name="client"]');
             select.value = "raw";
             select.dispatchEvent(new Event("change"));
           })()"#,
    );
    let then = browser.evaluate(labels);
    assert!(is_of(&then, "raw"), "{then}");
}
