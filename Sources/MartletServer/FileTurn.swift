// The files that are sent in one turn of the loop. A file system that cannot tell what is in memory makes the loop
// wait for the disk, once for each file. So the files of one turn share a time, and the next turn begins with
// the file at which the time was over.

import MartletBytes

/// The time of one turn for files.
struct FileTurn {
  /// The first slot whose file is sent in this turn.
  private var firstIndex = 0
  /// The first slot of the next turn.
  private var nextIndex = 0
  private var microseconds: Int64 = 0

  /// Begins a turn.
  mutating func begin() {
    firstIndex = nextIndex
    nextIndex = 0
    microseconds = 0
  }

  /// Whether the file of a slot is sent in this turn.
  mutating func allows(_ index: Int) -> Bool {
    guard index >= firstIndex else { return false }
    guard microseconds < Limits.fileTurnMicroseconds else {
      if nextIndex == 0 { nextIndex = index }
      return false
    }
    return true
  }

  /// Counts time as spent.
  mutating func add(microseconds: Int64) { self.microseconds += microseconds }
}
