// Numbers as people read them, at the seams between units.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

@Suite struct ReadableTests {
  @Test(
    "Sizes are in binary units, and never 1024 of one",
    arguments: [
      (0, "0 B"), (1, "1 B"), (512, "512 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"),
      (1_536, "1.5 KiB"), (102_348, "99.9 KiB"), (102_399, "100 KiB"), (1_047_552, "1023 KiB"),
      (1_048_064, "1.0 MiB"), (1_048_576, "1.0 MiB"), (25_276_514_304, "23.5 GiB"),
      (255_550_554_112, "238 GiB"), (1_099_511_627_776, "1.0 TiB"), (1 << 50, "1.0 PiB"),
      (1 << 60, "1.0 EiB"), (.max, "16.0 EiB"),
    ] as [(UInt64, String)])
  func sizes(_ octets: UInt64, _ text: String) {
    #expect(String(Readable.size(octets).span) == text)
  }

  @Test(
    "Times leave out what is zero at the front",
    arguments: [
      (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h 0 min"),
      (14_700, "4 h 5 min"), (86_400, "1 d 0 h 0 min"), (273_900, "3 d 4 h 5 min"),
      (.max, "213503982334601 d 7 h 0 min"),
    ] as [(UInt64, String)])
  func durations(_ seconds: UInt64, _ text: String) {
    #expect(String(Readable.duration(seconds: seconds).span) == text)
  }

  @Test(
    "A wait is told in words, and never too short",
    arguments: [
      (1, "1 second"), (2, "2 seconds"), (40, "40 seconds"), (90, "90 seconds"), (91, "2 minutes"),
      (120, "2 minutes"), (121, "3 minutes"), (899, "15 minutes"), (900, "15 minutes"),
    ])
  func waits(_ seconds: Int, _ text: String) {
    #expect(String(Readable.wait(seconds: seconds).span) == text)
  }

  @Test(
    "Temperatures have one digit after the point",
    arguments: [
      (48_312, "48.3 °C"), (48_350, "48.4 °C"), (0, "0.0 °C"), (-5_000, "-5.0 °C"),
      (-49, "0.0 °C"), (99_950, "100.0 °C"),
    ])
  func temperatures(_ milliDegrees: Int, _ text: String) {
    #expect(String(Readable.temperature(milliDegrees: milliDegrees).span) == text)
  }

  @Test(
    "Percentages are rounded and within 0 to 100",
    arguments: [
      (0, 0, 0), (0, 10, 0), (1, 3, 33), (2, 3, 67), (3, 3, 100), (9, 3, 100), (.max, .max, 100),
      (.max / 2, .max, 50),
    ] as [(UInt64, UInt64, Int)])
  func percentages(_ part: UInt64, _ total: UInt64, _ percent: Int) {
    #expect(Readable.percent(part, of: total) == percent)
  }
}
