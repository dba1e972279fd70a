// Writes Unix seconds in the date format of HTTP (RFC 9110 §5.6.7):
//
//     IMF-fixdate = day-name "," SP day SP month SP year SP time-of-day SP GMT
//
// The code uses integer arithmetic without a calendar library or time zones, and goes beyond 2038.

public import MartletBytes

/// A date in HTTP's format. The text is kept, because a server sends one date for a whole second.
public struct HTTPDate: ~Copyable {
  private let isReadInPlace = ByAddress()

  private var text = FixedBuffer<29>()
  private var seconds: Int64

  /// The names of three letters, one after the other, as dates have them. The days begin with Thursday.
  static var weekdayNames: StaticString { "ThuFriSatSunMonTueWed" }
  static var monthNames: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }

  /// The date of a second (Unix time).
  public init(_ seconds: Int64) {
    self.seconds = seconds
    write()
  }

  /// Changes the date to that of another second.
  public mutating func set(_ seconds: Int64) {
    guard seconds != self.seconds else { return }
    self.seconds = seconds
    write()
  }

  @inline(never)
  private mutating func write() {
    var writer = Writer(text.storageSpan)
    writer.append(httpDate: seconds)
    let (count, overflowed) = (writer.count, writer.overflowed)
    invariant(!overflowed, "every date has the same length")
    text.setCount(count)
  }

  /// The text of the date, 29 octets.
  public var span: Span<UInt8> {
    // Addressable: for the reason in FixedBuffer.span.
    @_addressableSelf @_lifetime(borrow self) get { text.span }
  }
}

extension Writer {
  /// Writes `Sun, 06 Nov 1994 08:49:37 GMT`.
  ///
  /// - Parameter seconds: Unix seconds. A time before 1970 is written as the first second of 1970. A time
  ///   after 9999 is written as the last second of 9999, because the year has four digits.
  @_lifetime(self: copy self)
  public mutating func append(httpDate seconds: Int64) {
    // Int64, because 32-bit seconds end in 2038.
    let seconds = min(max(seconds, 0), 253_402_300_799)
    let days = Int(seconds / 86_400)
    let time = Int(seconds % 86_400)
    let date = CivilDate(daysSince1970: days)
    // The first day of 1970 was a Thursday.
    append(HTTPDate.weekdayNames.octets.letters(ofEntry: days % 7))
    append(", ")
    append(decimal: date.day, digitCountMin: 2)
    append(" ")
    append(HTTPDate.monthNames.octets.letters(ofEntry: date.month - 1))
    append(" ")
    append(decimal: date.year, digitCountMin: 4)
    append(" ")
    append(decimal: time / 3_600, digitCountMin: 2)
    append(":")
    append(decimal: time / 60 % 60, digitCountMin: 2)
    append(":")
    append(decimal: time % 60, digitCountMin: 2)
    append(" GMT")
  }
}

extension Span where Element == UInt8 {
  /// The three letters of an entry, in a text of three-letter names.
  @_lifetime(copy self)
  fileprivate func letters(ofEntry index: Int) -> Span<UInt8> {
    extracting(index * 3..<index * 3 + 3)
  }
}
