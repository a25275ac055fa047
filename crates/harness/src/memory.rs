//! What a child reads and writes while nobody looks.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileExt;
use std::process::Stdio;

use rustix::fs::{MemfdFlags, memfd_create};

/// A file in memory, for a child to read from or to write to.
///
/// Unlike a pipe it takes all there is at once: nobody has to read while the child is measured,
/// and a child cannot be held up by a reader that sleeps.
#[derive(Debug)]
pub struct Memory(File);

impl Memory {
    /// A file that holds `text`, to be read from its start.
    ///
    /// # Errors
    ///
    /// No memory, or no descriptor.
    pub fn holding(text: &str) -> io::Result<Self> {
        let mut file = tempfile()?;
        file.write_all(text.as_bytes())?;
        file.rewind()?;
        Ok(Memory(file))
    }

    /// The file as a child's input or output.
    ///
    /// # Errors
    ///
    /// No descriptor.
    pub fn stdio(&self) -> io::Result<Stdio> {
        Ok(self.0.try_clone()?.into())
    }

    /// All that was written, as text; what is not UTF-8 is replaced.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn text(&self) -> io::Result<String> {
        let length = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        // The child writes where the file's position is, which it shares with us: it stays.
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn tempfile() -> io::Result<File> {
    Ok(File::from(memfd_create("compare", MemfdFlags::CLOEXEC)?))
}

/// The last lines of what a child said, in one: enough to know why it ended.
pub fn last_words(text: &str) -> String {
    const LINES: usize = 3;
    const CHARACTERS: usize = 300;
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let words = lines[lines.len().saturating_sub(LINES)..].join(" | ");
    let from = words.char_indices().rev().nth(CHARACTERS - 1).map_or(0, |(index, _)| index);
    words[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::process::Process;

    #[test]
    fn memory_takes_more_than_a_pipe() {
        let output = Memory::holding("").unwrap();
        let mut command = Command::new("head");
        command.args(["-c", "1000000", "/dev/zero"]).stdout(output.stdio().unwrap());
        let mut process = Process::start(&mut command).unwrap();
        process.reap().unwrap();
        assert_eq!(output.text().unwrap().len(), 1_000_000);
    }

    #[test]
    fn last_words_are_few_and_in_one_line() {
        assert_eq!(last_words("a\n\n b \nc\nd\n"), "b | c | d");
        assert_eq!(last_words(""), "");
        assert_eq!(last_words(&"é".repeat(1_000)).chars().count(), 300);
    }
}
