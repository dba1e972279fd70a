// Parses a date of HTTP in its three forms (RFC 9110 §5.6.7). A sender writes the first form only; a recipient
// must accept all of them:
//
//     IMF-fixdate  = day-name "," SP day SP month SP year SP time-of-day SP GMT
//     rfc850-date  = day-name-l "," SP day "-" month "-" 2DIGIT SP time-of-day SP GMT
//     asctime-date = day-name SP month SP ( 2DIGIT / ( SP DIGIT ) ) SP time-of-day SP year
//
// The name of the day is checked to be a name, and not to fit the date.

import MartletBytes

extension HTTPDate {
  /// The Unix seconds of a date in any of the three forms.
  ///
  /// - Parameters:
  ///   - text: The date without blanks around it.
  ///   - now: Unix seconds of this moment. The two digits of a year in `rfc850-date` stand for the latest year
  ///     that is at most 50 years ahead.
  /// - Returns: `nil` for any other text, and for a day or a time that does not exist. A date before 1970 is
  ///   the first second of 1970. The second 60 is accepted, because there are leap seconds.
  public static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
    let comma = text.firstIndex(of: 0x2C) ?? 0
    if comma == 0 {
      guard text.count == 24, text[7] == " ", text[10] == " ", text[19] == " " else { return nil }
      let day = text[8] == " " ? text.number(9, 1) : text.number(8, 2)
      return seconds(
        text.extracting(0..<4), day, text.extracting(4..<7), text.number(20, 4), text.extracting(11..<19))
    }
    let isShort = comma == 3
    let rest = text.extracting(comma..<text.count)
    guard rest.count == (isShort ? 26 : 24), rest[1] == " ",
      rest.extracting(rest.count - 4..<rest.count).equals(" GMT")
    else { return nil }
    let separator: UInt8 = isShort ? 0x20 : 0x2D
    guard rest[4] == separator, rest[8] == separator, rest[rest.count - 13] == " " else { return nil }
    var year = isShort ? rest.number(9, 4) : rest.number(9, 2)
    if !isShort, let digits = year {
      let latest = CivilDate(daysSince1970: Int(min(max(now, 0), 253_402_300_799) / 86_400)).year + 50
      year = latest - (latest - digits) % 100
    }
    return seconds(
      text.extracting(0..<comma + 1), rest.number(2, 2), rest.extracting(5..<8), year,
      rest.extracting(rest.count - 12..<rest.count - 4))
  }

  /// - Parameters:
  ///   - weekday: The name of the day, and the octet behind it.
  ///   - time: Eight octets.
  @inline(never)
  private static func seconds(
    _ weekday: Span<UInt8>, _ day: Int?, _ month: Span<UInt8>, _ year: Int?, _ time: Span<UInt8>
  ) -> Int64? {
    guard isWeekday(weekday), let day, let year, let month = entry(month, of: monthNames),
      time[2] == ":", time[5] == ":", let hour = time.number(0, 2), hour < 24,
      let minute = time.number(3, 2), minute < 60, let second = time.number(6, 2), second <= 60,
      day > 0, day <= dayCount(month: month + 1, year: year)
    else { return nil }
    guard year >= 1970 else { return 0 }
    let days = CivilDate.daysSince1970(year: year, month: month + 1, day: day)
    return Int64(days) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
  }

  /// Whether the octets are a name of a day of three letters, or a longer one, and one octet more.
  private static func isWeekday(_ octets: Span<UInt8>) -> Bool {
    let name = octets.extracting(0..<octets.count - 1)
    guard name.count >= 3, entry(name.extracting(first: 3), of: weekdayNames) != nil else { return false }
    if name.count == 3 { return octets[3] == "," || octets[3] == " " }
    var i = 3
    while i < name.count {
      guard case "a"..."z" = name[i] else { return false }
      i &+= 1
    }
    return name.extracting(name.count - 3..<name.count).equals("day")
  }

  /// The number of a name among names of three letters; names count with their case.
  private static func entry(_ name: Span<UInt8>, of names: StaticString) -> Int? {
    let names = names.octets
    var i = 0
    while i < names.count {
      if names.extracting(i..<i + 3).equals(name) { return i / 3 }
      i &+= 3
    }
    return nil
  }

  private static func dayCount(month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Span where Element == UInt8 {
  /// The number that `count` digits at `start` spell; `nil` where another octet is among them.
  fileprivate func number(_ start: Int, _ count: Int) -> Int? {
    var value = 0
    for i in start..<start + count {
      guard let digit = ASCII.digit(self[i]) else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }
}
