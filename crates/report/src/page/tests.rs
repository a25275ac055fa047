use harness::plan::PlannedLane;
use harness::record::How;
use job::Request;

use super::*;
use crate::{fixture, summarise};

fn rendered(recorded: &Recorded) -> String {
    render(recorded, &summarise(recorded), &Judged { claims: Vec::new() })
}

#[test]
fn nothing_can_be_fetched() {
    let page = rendered(&fixture::compared());
    assert!(page.contains("default-src 'none'"));
    for reference in [" src=\"", "href=\"http", "@import", "url(", "sourceMappingURL"] {
        let ours = page.replace(include_str!("../../assets/vega.min.js").trim_end(), "");
        let at = ours.find(reference);
        assert_eq!(at.map(|at| &ours[at..(at + 60).min(ours.len())]), None, "{reference}");
    }
}

#[test]
fn scripts_end_where_they_should() {
    let PreEscaped(text) = script("a = '</script><!--'\n//# sourceMappingURL=a.map\nb");
    assert_eq!(text, "a = '<\\/script><\\!--'\nb");
    let PreEscaped(text) = json(&"</script>");
    assert_eq!(text, "\"\\u003c/script>\"");
}

#[test]
fn what_stands_in_a_record_is_text_and_no_markup() {
    let mut recorded = fixture::compared();
    recorded.plan.workloads[0].shows = "<b>bold</b> & </script>".into();
    let page = rendered(&recorded);
    assert!(page.contains("&lt;b&gt;bold&lt;/b&gt; &amp; &lt;/script&gt;"));
    assert!(!page.contains("<b>bold</b>"));
}

#[test]
fn without_scripts_there_are_the_answer_the_tables_and_the_cards() {
    let mut recorded = fixture::compared();
    let (waits, mirrors) = ("it suspends".to_owned(), "gevent".to_owned());
    let lane = PlannedLane {
        id: fixture::LANES[1].into(),
        waits,
        mirrors,
        may_fail: false,
        variant: None,
    };
    recorded.plan.lanes.push(lane);
    let page = rendered(&recorded);
    for text in
        ["For many waits", "<caption", "N=100 C=8 raw", "it suspends", "gevent", "Noise floor"]
    {
        assert!(page.contains(text), "{text}");
    }
    let rows = |lane: &str| page.matches(&format!("<tr data-lane=\"{lane}\"")).count();
    assert!(fixture::LANES.iter().all(|lane| rows(lane) == 1));
    assert!(page.contains("class=\"variant\" data-lane=\"stackless/tokio-local\""));
}

#[test]
fn claims_have_their_verdicts_and_a_chart_without_scripts() {
    use crate::claims::{Evidence, Ledger, fixture, judge};
    let chart = "[claim.chart]\nworkload = \"all-at-once\"\n\
                 lines = [{ lane = \"stackful/hub\", client = \"raw\" }]\n\n[[claim]]\nnumber = 2";
    let text = fixture::LEDGER.replacen("[[claim]]\nnumber = 2", chart, 1);
    let text = text.replace("are faster", "are <i>faster</i>");
    let ledger = Ledger::read("c.toml", &text).unwrap();
    let recorded = fixture::growing();
    let summary = summarise(&recorded);
    let page = render(&recorded, &summary, &judge(&ledger, &Evidence::of(&recorded, &summary)));
    for text in [
        "id=\"claim-1\"",
        "as written: HOLDS",
        "are &lt;i&gt;faster",
        "wall time in ms over documents N, all at once",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!rendered(&recorded).contains("id=\"claim-1\""));
    assert!(rendered(&recorded).contains("no samples for any of their claims"));
}

#[test]
fn what_is_missing_is_said() {
    let mut recorded = fixture::recorded();
    recorded.ending = Some(fixture::ending(How::Interrupted));
    let page = rendered(&recorded);
    for text in ["This record has no timelines", "interrupted; this is what it had", "not sound"] {
        assert!(page.contains(text), "{text}");
    }
    recorded.samples.clear();
    let page = rendered(&recorded);
    for text in ["No sample counts", "too small to say", "not reached: the run was interrupted"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn timelines_that_nobody_could_see_are_left_out_and_told() {
    let request = Request {
        begun_ns: 1,
        connecting_ns: None,
        connected_ns: None,
        sent_ns: None,
        first_byte_ns: None,
        last_byte_ns: 2_000,
        parsed_ns: 3_000,
        thread: 0,
    };
    let mut recorded = fixture::compared();
    recorded.timelines = vec![
        fixture::timeline(fixture::LANES[1], vec![request; 3]),
        fixture::timeline(fixture::LANES[2], vec![request; 1_000]),
    ];
    let page = rendered(&recorded);
    assert!(page.contains("data-chart=\"timeline\"") && page.contains("1 timelines are not shown"));
    assert!(page.contains("[2,4,2,3]"), "request 3 is parsed from 2 to 3 µs");
}

#[test]
fn an_open_loop_has_latencies_and_no_wall() {
    let page = rendered(&fixture::at_rate(2_000));
    assert!(page.contains("data-chart=\"latency\"") && !page.contains("data-chart=\"wall\""));
}
