// Lines of a GPIO chip where there is no chip. What a chip answers is tested with a whole program (Wire/test_gpio.py).

import Testing

@testable import Martlet

@Suite("GPIO lines")
struct GPIOLineTests {
  /// Why a line cannot be taken; `nil` where it can.
  private func refusal(_ line: Int, _ use: GPIOLine.Use, of chip: StaticString) -> FileError? {
    do throws(FileError) {
      let taken = try GPIOLine(line, use, of: chip)
      _ = try taken.isHigh()
      return nil
    } catch {
      return error
    }
  }

  @Test("A chip that is not there, and what is no chip")
  func chips() {
    for use in [.input, .inputPulledUp, .inputPulledDown, .output(isHigh: true), .output(isHigh: false)]
      as [GPIOLine.Use]
    {
      #expect(refusal(17, use, of: "/dev/no-such-chip")?.reason == .notThere)
      // ENOTTY: the file takes no such request.
      #expect(refusal(17, use, of: "/dev/null")?.reason == .other(25))
    }
    #expect(refusal(17, .input, of: "/dev")?.reason == .isFolder)
  }

  @Test("A number that no chip has is the kernel's own refusal")
  func numbers() {
    for line in [-1, .min, 65_536, .max] {
      #expect(refusal(line, .input, of: "/dev/null")?.reason == .other(22))
    }
  }

  @Test("A path that is too long is refused")
  func path() {
    let long: StaticString = """
      /dev/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
      """
    #expect(refusal(0, .input, of: long)?.reason == .notThere)
  }
}
