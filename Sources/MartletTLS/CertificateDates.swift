// Unix seconds ↔ the dates of certificates (RFC 5280 §4.1.2.5):
//
//     UTCTime         = YYMMDDhhmmssZ         ; 1950 to 2049
//     GeneralizedTime = YYYYMMDDhhmmssZ       ; from 2050 on

import MartletBytes

extension DERWriter {
  /// Appends a moment.
  ///
  /// - Parameter seconds: Unix seconds, not before 1970 and not after 9999.
  @_lifetime(self: copy self)
  mutating func append(date seconds: Int64) {
    // Seconds after 2038 are no Int where it has 32 bits.
    let date = CivilDate(daysSince1970: Int(seconds / 86_400))
    let time = Int(seconds % 86_400)
    let start = begin(date.year < 2050 ? DERTag.utcTime : DERTag.generalizedTime)
    if date.year >= 2050 { append(twoDigits: date.year / 100) }
    append(twoDigits: date.year % 100)
    append(twoDigits: date.month)
    append(twoDigits: date.day)
    append(twoDigits: time / 3_600)
    append(twoDigits: time / 60 % 60)
    append(twoDigits: time % 60)
    append(0x5A)
    end(start)
  }

  @_lifetime(self: copy self)
  private mutating func append(twoDigits value: Int) {
    append(0x30 + UInt8(value / 10))
    append(0x30 + UInt8(value % 10))
  }
}

extension Span where Element == UInt8 {
  /// The moment of an element, or `nil` for what is no date in one of both forms.
  @inline(never)
  func certificateDate(_ element: DERElement) -> Int64? {
    var digits = element.content
    guard digits.count == (element.tag == DERTag.utcTime ? 13 : 15), self[digits.upperBound - 1] == "Z" else {
      return nil
    }
    var year = 0
    switch element.tag {
    case DERTag.utcTime:
      guard let digits = twoDigits(digits.lowerBound) else { return nil }
      year = digits < 50 ? 2000 + digits : 1900 + digits
      // A date before 1970 is as good as the first second of 1970.
      guard year >= 1970 else { return 0 }
    case DERTag.generalizedTime:
      guard let century = twoDigits(digits.lowerBound), let rest = twoDigits(digits.lowerBound + 2),
        century * 100 + rest >= 1970
      else { return nil }
      year = century * 100 + rest
      digits = digits.lowerBound + 2..<digits.upperBound
    default: return nil
    }
    let start = digits.lowerBound
    guard let month = twoDigits(start + 2), (1...12).contains(month),
      let day = twoDigits(start + 4), (1...31).contains(day),
      let hour = twoDigits(start + 6), hour < 24, let minute = twoDigits(start + 8), minute < 60,
      let second = twoDigits(start + 10), second < 60
    else { return nil }
    let days = CivilDate.daysSince1970(year: year, month: month, day: day)
    return Int64(days) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
  }

  private func twoDigits(_ index: Int) -> Int? {
    guard let high = ASCII.digit(self[index]), let low = ASCII.digit(self[index + 1]) else { return nil }
    return Int(high) * 10 + Int(low)
  }
}
