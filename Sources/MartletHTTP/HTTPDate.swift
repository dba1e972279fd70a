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

/// A date of the Gregorian calendar.
struct CivilDate {
  let year: Int
  /// 1 to 12.
  let month: Int
  /// 1 to 31.
  let day: Int

  /// Counts in years that begin in March, so that the leap day is the last day of a year. 400 such years are
  /// an era of 146,097 days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  ///
  /// - Parameter daysSince1970: Not negative.
  init(daysSince1970: Int) {
    // Days since the first of March of the year 0.
    let days = daysSince1970 + 719_468
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    // From March on, each five months have 153 days.
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = days / 146_097 * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }
  /// The days from the first day of 1970 to a date, which is after 1969 and exists.
  static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let yearOfEra = year % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
