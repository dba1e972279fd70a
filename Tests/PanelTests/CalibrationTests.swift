// How many iterations a machine gives a password.

import Testing

@testable import martlet_panel

@Suite struct CalibrationTests {
  @Test("Iterations fit the time and stay between floor and cap")
  func iterations() {
    #expect(Calibration.iterations(32, in: 9_600) == 1_000_000)
    #expect(Calibration.iterations(32, in: 96_000) == 100_000)
    #expect(Calibration.iterations(32, in: 1_000_000) == 20_000)
    #expect(Calibration.iterations(256, in: 38_400) == 2_000_000)
    #expect(Calibration.iterations(256, in: 38_401) == 1_999_947)
    #expect(Calibration.iterations(32, in: 1) == 2_000_000)
    #expect(Calibration.iterations(32, in: 0) == 20_000)
    #expect(Calibration.iterations(32, in: -1) == 20_000)
    #expect(Calibration.iterations(32, in: .max) == 20_000)
    #expect(Calibration.iterations(32, in: 96_000, fitting: 600) == 200_000)
    #expect(Calibration.iterations(32, in: 96_000, fitting: 10_000) == 2_000_000)
    #expect(Calibration.iterations(32, in: 96_000, fitting: 1) == 20_000)
  }

  @Test("What is measured again is never less, and stays between floor and cap")
  func measured() {
    var calibration = Calibration()
    var last: UInt32 = 0
    for _ in 0..<40 {
      let wanted = calibration.wanted()
      #expect(Calibration.iterationCountMin...Calibration.iterationCountMax ~= wanted)
      #expect(wanted >= last)
      last = wanted
    }
    #expect(calibration.wanted() == last)
  }

  @Test("A hash is made anew where it is much too weak or much too slow, and otherwise stays")
  func anew() {
    var calibration = Calibration()
    for _ in 0..<40 { _ = calibration.wanted() }
    let wanted = calibration.wanted()
    #expect(calibration.wanted(insteadOf: 1_000) == wanted)
    #expect(calibration.wanted(insteadOf: wanted) == nil)
    #expect(calibration.wanted(insteadOf: wanted / 10 * 9 + Calibration.iterationCountMin / 10) == nil)
    #expect(calibration.wanted(insteadOf: wanted * 2) == nil)
    #expect(calibration.wanted(insteadOf: wanted * 3) == wanted)
    #expect(calibration.wanted(insteadOf: 10_000_000) == wanted)
    if wanted > 40_000 { #expect(calibration.wanted(insteadOf: wanted / 2) == wanted) }
  }
}
