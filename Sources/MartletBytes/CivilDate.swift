// Days since 1970 ↔ dates of the Gregorian calendar, by integers alone.

/// A date of the Gregorian calendar.
package struct CivilDate {
  package let year: Int
  /// 1 to 12.
  package let month: Int
  /// 1 to 31.
  package let day: Int

  /// Counts in years that begin in March, so that the leap day is the last day of a year. 400 such years are
  /// an era of 146,097 days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  ///
  /// - Parameter daysSince1970: Not negative.
  package init(daysSince1970: Int) {
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
  package static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let yearOfEra = year % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
