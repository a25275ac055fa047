//! Widths, light and dark, paper, and what can be taken home.

use std::fs;
use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::browser::{Browser, chromium};
use crate::record::page;
use crate::tools::trial_with;

pub fn trials() -> Vec<Trial> {
    vec![
        trial_with("no_width_needs_scrolling_sideways", chromium, widths),
        trial_with("it_is_light_or_dark_as_the_reader_wants", chromium, light_and_dark),
        trial_with("paper_is_light_and_has_all_charts", chromium, paper),
        trial_with("what_is_taken_home_can_be_read", chromium, downloads),
    ]
}

fn widths(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    for width in [320, 390, 1280, 2560] {
        browser.open(&page, "", width, "light");
        browser.evaluate("drawAll()");
        let whole = browser.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
        let seen = browser.evaluate("document.documentElement.clientWidth").as_u64().unwrap();
        assert!(whole <= seen, "{whole} of {seen} at {width}");
        assert!(seen <= u64::from(width));
        assert_eq!(browser.complaints(), Vec::<&Value>::new(), "at {width}");
    }
}

/// How light the paper is, and the ink on it and in a chart: from 0 to 255.
fn lightness(browser: &mut Browser) -> [u64; 3] {
    browser.evaluate("drawAll()");
    let script = r#"
      (() => {
        const light = (colour) => Math.max(...colour.match(/\d+/g).slice(0, 3).map(Number));
        const body = getComputedStyle(document.body);
        const text = document.querySelector(".view svg .role-axis-label text");
        return [body.backgroundColor, body.color, getComputedStyle(text).fill].map(light);
      })()
    "#;
    let values = browser.evaluate(script);
    [0, 1, 2].map(|index| values[index].as_u64().unwrap())
}

fn is_light([paper, ink, chart]: [u64; 3]) -> bool {
    assert_eq!(paper > 128, ink < 128, "paper {paper}, ink {ink}");
    assert_eq!(paper > 128, chart < 128, "paper {paper}, ink of charts {chart}");
    paper > 128
}

fn light_and_dark(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    for (scheme, expected) in [("light", true), ("dark", false)] {
        browser.open(&page, "", 1280, scheme);
        assert_eq!(is_light(lightness(&mut browser)), expected, "{scheme}");
        browser.evaluate(r#"document.getElementById("theme").click()"#);
        assert_eq!(is_light(lightness(&mut browser)), !expected, "{scheme}, and the other wanted");
        assert_eq!(browser.complaints(), Vec::<&Value>::new(), "{scheme}");
    }
}

fn paper(chromium: PathBuf) {
    let (page, _) = page();
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "dark");
    let seen = r#"
      addEventListener("beforeprint", () => {
        window.onPaper = [
          document.querySelectorAll(".view").length,
          document.querySelectorAll(".view svg .role-mark path").length,
          getComputedStyle(document.querySelector(".view svg .role-axis-label text")).fill,
        ];
      });
    "#;
    browser.evaluate(seen);
    browser.call("Page.printToPDF", json!({}));
    let on_paper = browser.evaluate("window.onPaper");
    browser.evaluate("drawAll()");
    let views = browser.evaluate(r#"document.querySelectorAll(".view").length"#);
    assert_eq!(on_paper[0], views);
    assert!(on_paper[1].as_u64() > Some(100), "{on_paper}");
    assert_eq!(on_paper[2], "rgb(107, 107, 102)", "as on white");
    assert!(!is_light(lightness(&mut browser)), "on the screen it is dark again");
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
}

fn downloads(chromium: PathBuf) {
    let (page, recorded) = page();
    let mut browser = Browser::start(&chromium);
    browser.open(&page, "", 1280, "light");
    let folder = browser.allow_downloads();
    let mut download = |name: &str| {
        let press = format!(r#"document.querySelector('[data-download="{name}"]').click()"#);
        browser.evaluate(&press);
        let begun = browser.wait_for(|event| {
            event["method"] == "Browser.downloadWillBegin"
                && event["params"]["suggestedFilename"] == name
        });
        browser.wait_for(|event| {
            event["method"] == "Browser.downloadProgress"
                && event["params"]["guid"] == begun["params"]["guid"]
                && event["params"]["state"] == "completed"
        });
        fs::read_to_string(folder.join(name)).unwrap()
    };
    let samples = download("samples.csv");
    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), recorded.samples.len());
    let lane = heads.iter().position(|head| head == "lane").unwrap();
    for (row, sample) in rows.iter().zip(&recorded.samples) {
        assert_eq!(row[lane], sample.cell.lane);
    }
    let summary: Value = serde_json::from_str(&download("summary.json")).unwrap();
    assert_eq!(summary["workloads"].as_array().map(Vec::len), Some(recorded.plan.workloads.len()));
}
