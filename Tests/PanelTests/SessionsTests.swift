// The list of sessions: what begins, is used and ends, when, and that damage is found.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private let day: Int64 = 86_400

private func text(_ sessions: borrowing Sessions, _ stamp: SessionsStamp = SessionsStamp()) -> [UInt8] {
  var storage = [UInt8](repeating: 0, count: Sessions.fileSizeMax)
  var writer = Writer(storage.mutableSpan)
  sessions.write(stamp, to: &writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return [UInt8](writer.span)
}

private func read(_ text: [UInt8]) -> Sessions? { withGuardedOctets(text) { Sessions($0) } }

private func isGood(_ text: [UInt8]) -> Bool { isThere(read(text)) }

private func stamp(written: Int64, boot: Int64, up: Int64) -> SessionsStamp {
  var stamp = SessionsStamp()
  stamp.newest = written
  stamp.written = written
  stamp.boot = boot
  stamp.bootSeconds = up
  return stamp
}

@Suite struct SessionsTests {
  @Test("A session is live from its beginning to its end, for its generation only")
  func live() {
    var sessions = Sessions()
    let numbers = (0..<8 as Range<Int64>).map { sessions.begin(of: 1, isRemembered: false, at: $0) }
    #expect(Set(numbers).count == 8)
    #expect(numbers.allSatisfy { $0 > 0 && $0 <= 9_007_199_254_740_991 })
    #expect(numbers.contains { $0 > 1 << 45 }, "53 bits, or a chance of 2^-64")
    for number in numbers {
      let live1 = sessions.use(number, of: 1, at: 100)
      #expect(live1)
      let live2 = sessions.use(number, of: 2, at: 100)
      #expect(!live2)
    }
    sessions.end(numbers[4])
    let live3 = sessions.use(numbers[4], of: 1, at: 100)
    #expect(!live3 && sessions.count == 7)
    sessions.end(12)
    #expect(sessions.count == 7)
    let other = sessions.begin(of: 2, isRemembered: false, at: 100)
    sessions.endAll(of: 1)
    let live4 = sessions.use(other, of: 2, at: 100)
    #expect(sessions.count == 1 && live4)
  }

  @Test("A use that is undone has not been, and whether a session is live is no use")
  func undone() {
    var sessions = Sessions()
    let number = sessions.begin(of: 1, isRemembered: false, at: 0)
    _ = sessions.use(number, of: 1, at: 100)
    _ = sessions.use(number, of: 1, at: 200)
    sessions.undoUse()
    #expect(sessions[0].used == 100)
    #expect(sessions.isLive(number, at: 100 + day - 1) && !sessions.isLive(number, at: 100 + day))
    #expect(!sessions.isLive(number + 1, at: 100) && sessions[0].used == 100)
    sessions.end(number)
    sessions.undoUse()
    #expect(!sessions.isLive(number, at: 100) && sessions.count == 0)
  }

  @Test("The ninth ends the one that has been unused for longest, whichever it is")
  func ninth() {
    for unused in 0..<8 {
      var sessions = Sessions()
      _ = sessions.begin(of: 2, isRemembered: true, at: 0)
      let numbers = (0..<8 as Range<Int64>).map { sessions.begin(of: 1, isRemembered: false, at: $0) }
      for i in (0..<8).reversed() where i != unused {
        let live5 = sessions.use(numbers[i], of: 1, at: 100 - Int64(i))
        #expect(live5)
      }
      let ninth = sessions.begin(of: 1, isRemembered: false, at: 200)
      for i in 0..<8 {
        let live6 = sessions.use(numbers[i], of: 1, at: 300)
        #expect(live6 == (i != unused), "\(i) of \(unused)")
      }
      let live7 = sessions.use(ninth, of: 1, at: 300)
      #expect(live7 && sessions.count == 9)
    }
  }

  @Test("A session ends when it is unused for too long, and when it is too old")
  func limits() {
    for (isRemembered, idle, all) in [(false, day, 7 * day), (true, 30 * day, 365 * day)] {
      var sessions = Sessions()
      let number = sessions.begin(of: 1, isRemembered: isRemembered, at: -5)
      let live8 = sessions.use(number, of: 1, at: idle - 6)
      #expect(live8)
      var now = idle - 6
      while now + idle - 1 < all - 5 {
        now += idle - 1
        let live9 = sessions.use(number, of: 1, at: now)
        #expect(live9, "\(now)")
      }
      let live10 = sessions.use(number, of: 1, at: all - 6)
      #expect(live10)
      let live11 = sessions.use(number, of: 1, at: all - 5)
      #expect(!live11, "it is as old as it may become")
      #expect(sessions.count == 0)

      let second = sessions.begin(of: 1, isRemembered: isRemembered, at: 0)
      let live12 = sessions.use(second, of: 1, at: idle)
      #expect(!live12, "it was unused")
      let live13 = sessions.use(second, of: 1, at: 1)
      #expect(!live13, "what has ended does not come back")
    }
  }

  @Test("Seven of eight accounts' lists full of sessions that have ended leave room")
  func room() {
    var sessions = Sessions()
    for generation in 0..<9 as Range<Int64> {
      for _ in 0..<9 { _ = sessions.begin(of: generation, isRemembered: false, at: 0) }
    }
    #expect(sessions.count == Sessions.countMax)
    let number = sessions.begin(of: 7, isRemembered: false, at: day)
    let live14 = sessions.use(number, of: 7, at: day)
    #expect(sessions.count == 1 && live14)
  }

  @Test("What is written is read again, ages and all")
  func roundTrip() throws {
    var sessions = Sessions()
    #expect(read(text(sessions))?.count == 0)
    for generation in 0..<8 as Range<Int64> {
      for i in 0..<8 as Range<Int64> {
        _ = sessions.begin(
          of: 9_007_199_254_740_991 - generation, isRemembered: i % 2 == 0, at: -1_000_000 * i)
      }
    }
    let stamp = stamp(written: 1_800_000_000, boot: 9_007_199_254_740_991, up: 50)
    let written = text(sessions, stamp)
    #expect(written.count <= Sessions.fileSizeMax && Sessions.fileSizeMax <= 4_096)
    let again = try required(read(written))
    #expect(again.count == sessions.count && again.stamp == stamp)
    for i in 0..<sessions.count {
      #expect(again[i].number == sessions[i].number)
      #expect(again[i].generation == sessions[i].generation)
      #expect(again[i].isRemembered == sessions[i].isRemembered)
      #expect(again[i].begun == sessions[i].begun - 50 && again[i].used == sessions[i].used - 50)
    }
  }

  @Test("Every flipped octet is damage, and so is every prefix, and every number out of its bounds")
  func damage() {
    var sessions = Sessions()
    _ = sessions.begin(of: 3, isRemembered: true, at: 0)
    let whole = text(sessions)
    #expect(isGood(whole))
    for i in whole.indices {
      for mask: UInt8 in [0xFF, 1, 32] {
        var flipped = whole
        flipped[i] ^= mask
        #expect(!isGood(flipped), "octet \(i), mask \(mask)")
      }
    }
    for count in 0..<whole.count { #expect(!isGood(Array(whole.prefix(count)))) }
    #expect(!isGood([UInt8](repeating: 0, count: 100)))
    let top = "9999999999999999"
    for (lines, isRight) in [
      ("1 2 3 4 0\n", true), ("\(top) \(top) \(top) \(top) \(top)\n", true), ("", false),
      ("1 2 3 4\n", false), ("1 2 3 4 5 6\n", false), ("1 2 3 4 -5\n", false), ("1 2 3 4 \n", false),
      ("1  2 3 4 0\n", false), ("1 2 3 4 10000000000000000\n", false), ("1 2 3 4 x\n", false),
      ("1 2 3 4 0\n1 2 3 4 1\n", true), ("1 2 3 4 0\n1 2 3\n", false), ("1 2 3 4 0\n\n", false),
      ("0 0 0 0 0\n" + String(repeating: "1 2 3 4 1\n", count: 65), false),
    ] {
      #expect((read(signed("martlet-sessions 1\n" + lines)) != nil) == isRight, "\(lines)")
    }
    #expect(!isGood(signed("martlet-sessions 2\n1 2 3 4 0\n")))
  }

  /// A text whose last line fits what is before it.
  private func signed(_ lines: String) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: 8_000)
    var writer = Writer(octets.mutableSpan)
    writer.append([UInt8](lines.utf8).span)
    Checksum.append(to: &writer)
    return [UInt8](writer.span)
  }
}
