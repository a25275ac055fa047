//! Chromium, spoken to over a pipe.
//!
//! With `--remote-debugging-pipe` it reads commands from descriptor 3 and answers on 4, each a line of
//! JSON that ends in a zero byte (the Chrome DevTools Protocol). So no port is open, no driver stands
//! between, and the browser ends with the pipe, should it outlive the signal that the harness binds
//! its children by.

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::process::Process;
use serde_json::{Value, json};

use crate::setting::LIMIT;
use crate::support::Scratch;
use crate::tools::{Missing, installed};

/// Nothing of its own to fetch, nothing to ask, and root may start it.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-device-scale-factor=1",
    "--remote-debugging-pipe",
];

/// A shell puts the pipes where the browser looks for them, and becomes the browser.
const WITH_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

/// A browser with one tab.
pub struct Browser {
    commands: PipeWriter,
    answers: Receiver<Value>,
    /// What has happened, in order.
    events: Vec<Value>,
    session: Option<String>,
    next: u64,
    /// Before the folder, which it writes to until it ends.
    _process: Process,
    folder: Scratch,
}

/// Where the browser is, or how to get it.
pub fn chromium() -> Result<PathBuf, Missing> {
    installed("chromium")
}

impl Browser {
    /// Starts it, with an empty tab.
    pub fn start(program: &Path) -> Self {
        let folder = Scratch::new();
        let ((theirs_in, commands), (answers, theirs_out)) = (pipe().unwrap(), pipe().unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", WITH_PIPES]).arg(program).args(FLAGS);
        command.arg(format!("--user-data-dir={}", folder.path("profile").display()));
        command.env("HOME", &folder.0).stdin(theirs_in).stdout(theirs_out).stderr(Stdio::null());
        let process = Process::start(&mut command).unwrap();
        // Its ends of the pipes are in the command: without them ours tell when it has ended.
        drop(command);
        let (events, session, answers) = (Vec::new(), None, listen(answers));
        let mut browser =
            Browser { commands, answers, events, session, next: 0, _process: process, folder };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Opens the page in a window of this width, where the system is `light` or `dark`.
    pub fn open(&mut self, page: &Path, hash: &str, width: u32, scheme: &str) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        // With another hash alone the browser would not load anew.
        self.go_to("about:blank");
        self.go_to(&format!("file://{}{hash}", page.display()));
    }

    /// Forgets what has happened, and sleeps until the page is all there.
    fn go_to(&mut self, url: &str) {
        self.events.clear();
        self.call("Page.navigate", json!({ "url": url }));
        self.wait_for(|event| event["method"] == "Page.loadEventFired");
    }

    /// The value of an expression in the page; awaited, where it is a promise.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params);
        assert_eq!(answer.get("exceptionDetails"), None, "{expression}");
        answer["result"]["value"].clone()
    }

    /// One command, and its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        // What concerns the browser is asked of the browser, all else of the tab.
        let of_browser = method.starts_with("Target.") || method.starts_with("Browser.");
        if let Some(session) = self.session.as_ref().filter(|_| !of_browser) {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let mut answer = self.next_message();
            if answer["id"] == self.next {
                assert_eq!(answer.get("error"), None, "{method}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    /// Sleeps until something has happened.
    pub fn wait_for(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(event) = self.events.iter().find(|event| is_it(event)) {
            return event.clone();
        }
        loop {
            let event = self.next_message();
            self.events.push(event.clone());
            if is_it(&event) {
                return event;
            }
        }
    }

    fn next_message(&mut self) -> Value {
        self.answers.recv_timeout(LIMIT).expect("the browser answers")
    }

    /// What the page has said on the console, and thrown, since it was opened.
    pub fn complaints(&self) -> Vec<&Value> {
        let is_one = |event: &&Value| {
            let method = event["method"].as_str().unwrap_or_default();
            ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]
                .contains(&method)
        };
        self.events.iter().filter(is_one).collect()
    }

    /// What it has asked for, itself first.
    pub fn requests(&self) -> Vec<&str> {
        let asked = self.events.iter().filter(|e| e["method"] == "Network.requestWillBeSent");
        asked.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }

    /// Lets the page save files, and says where.
    pub fn allow_downloads(&mut self) -> PathBuf {
        let folder = self.folder.path("downloads");
        let params = json!({ "behavior": "allow", "downloadPath": folder, "eventsEnabled": true });
        self.call("Browser.setDownloadBehavior", params);
        folder
    }
}

/// Whatever comes, until the pipe ends.
fn listen(answers: PipeReader) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for message in BufReader::new(answers).split(0) {
            let Ok(message) = message else { return };
            let value = serde_json::from_slice(&message).expect("it speaks JSON");
            if sender.send(value).is_err() {
                return;
            }
        }
    });
    receiver
}
