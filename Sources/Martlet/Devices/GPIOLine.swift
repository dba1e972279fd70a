// One line of a GPIO chip: a lamp, a relay, a button. This file faces C.

import CMartletPlatform
import MartletBytes

/// A line of a GPIO chip, by the kernel's character device (Linux 5.10 or newer).
///
///     let lamp = try GPIOLine(17, .output(isHigh: false))
///     try lamp.set(true)
///
/// The program has the line as long as the value lives, and no other program can take it meanwhile. What an output does
/// afterwards is the chip's affair; most outputs keep their level.
///
/// A program needs the right to open the chip's file. On Raspberry Pi OS members of the group `gpio` have it.
public struct GPIOLine: ~Copyable {
  /// The use of a line.
  public enum Use: Sendable {
    /// An output, with its first level.
    case output(isHigh: Bool)
    /// An input that something else drives.
    case input
    /// An input that is high while nothing drives it: a button to ground.
    case inputPulledUp
    /// An input that is low while nothing drives it: a button to the supply.
    case inputPulledDown

    fileprivate var number: Int {
      switch self {
      case .output(let isHigh): isHigh ? MARTLET_GPIO_HIGH : MARTLET_GPIO_LOW
      case .input: MARTLET_GPIO_INPUT
      case .inputPulledUp: MARTLET_GPIO_PULLED_UP
      case .inputPulledDown: MARTLET_GPIO_PULLED_DOWN
      }
    }
  }

  private let descriptor: Int32

  /// Takes a line.
  ///
  /// - Parameters:
  ///   - line: The number of the line at its chip. On a Raspberry Pi it is the BCM number.
  ///   - use: What the line is for.
  ///   - chip: The file of the chip. `gpiodetect` lists the chips of a board.
  /// - Throws: `FileError`, with the text "it is in use" where another program has the line.
  public init(_ line: Int, _ use: Use, of chip: StaticString = "/dev/gpiochip0") throws(FileError) {
    guard line >= 0, line <= Int(UInt16.max) else { throw FileError(code: -Self.wrongNumber) }
    let path = chip.octets
    // Safe: C reads that many octets during the call.
    let result = unsafe path.withUnsafeBufferPointer {
      unsafe martlet_gpio_request($0.baseAddress, $0.count, UInt32(line), Int32(use.number))
    }
    guard result >= 0 else { throw FileError(code: result) }
    descriptor = result
  }

  /// EINVAL, the kernel's own answer to a line that the chip does not have.
  private static var wrongNumber: Int32 { 22 }

  deinit { martlet_close(descriptor) }

  /// Whether the line is high.
  ///
  /// - Throws: `FileError`, where the chip has gone.
  public func isHigh() throws(FileError) -> Bool {
    let result = martlet_gpio_get(descriptor)
    guard result >= 0 else { throw FileError(code: result) }
    return result == 1
  }

  /// Sets the level of an output.
  ///
  /// - Throws: `FileError`, where the line is an input or the chip has gone.
  public func set(_ isHigh: Bool) throws(FileError) {
    let result = martlet_gpio_set(descriptor, isHigh ? 1 : 0)
    guard result >= 0 else { throw FileError(code: result) }
  }
}
