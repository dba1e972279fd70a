// When an alert is raised, and its file.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func values(_ series: Series, _ value: Int64?) -> Values {
  var values = Values()
  values[series] = value
  return values
}

private func alerts(_ threshold: Int64 = 9_000, minutes: Int64 = 1, at index: Int = 2) -> Alerts {
  var alerts = Alerts()
  alerts.set(AlertRule(threshold: threshold, minutes: minutes), at: index)
  return alerts
}

private func text(_ write: (inout Writer) -> Void) -> [UInt8] {
  var storage = [UInt8](repeating: 0, count: 1_000)
  var writer = Writer(storage.mutableSpan)
  write(&writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return [UInt8](writer.span)
}

private func sentences(_ alerts: Alerts) -> String {
  String(decoding: text { alerts.write(to: &$0) }, as: UTF8.self)
}

private func read(_ octets: [UInt8]) -> Alerts? { withGuardedOctets(octets) { Alerts($0) } }

@Suite struct AlertsTests {
  @Test("An alert is raised when a value has been above its threshold for the time, and ends with it")
  func raised() {
    var alerts = alerts()
    for _ in 0..<11 { alerts.update(values(.memory, 9_001)) }
    #expect(alerts.raised(2) == nil)
    alerts.update(values(.memory, 9_001))
    #expect(alerts.raised(2) == 60 && sentences(alerts) == "Memory in use above 90 %, for 1 min now.")
    alerts.update(values(.memory, 9_000))
    #expect(alerts.raised(2) == nil && sentences(alerts) == "")
  }

  @Test("A value that is not known neither begins nor ends anything")
  func unknown() {
    var alerts = alerts()
    for _ in 0..<20 { alerts.update(values(.memory, nil)) }
    #expect(alerts.raised(2) == nil)
    for _ in 0..<12 { alerts.update(values(.memory, 10_000)) }
    for _ in 0..<20 { alerts.update(values(.memory, nil)) }
    #expect(alerts.raised(2) == 60)
  }

  @Test("Without a threshold nothing is raised, and a rule that changes begins anew")
  func rules() {
    var none = Alerts()
    var some = Alerts()
    some.set(AlertRule(threshold: 1), at: 0)
    #expect(!none.hasRules && some.hasRules)
    for _ in 0..<1_000 { none.update(values(.memory, 10_000)) }
    #expect((0..<Alerts.count).allSatisfy { none.raised($0) == nil })
    var alerts = alerts()
    for _ in 0..<12 { alerts.update(values(.memory, 10_000)) }
    alerts.set(AlertRule(threshold: 9_000, minutes: 1), at: 2)
    #expect(alerts.raised(2) == 60, "it is the same rule")
    alerts.set(AlertRule(threshold: 8_000, minutes: 1), at: 2)
    #expect(alerts.raised(2) == nil)
  }

  @Test("What begins and what ends is told once, with the threshold that it began with")
  func changes() {
    var alerts = alerts()
    func update(_ value: Int64?) -> AlertEvent? {
      let now = values(.memory, value)
      alerts.update(now)
      return alerts.change(2, in: now)
    }
    for _ in 0..<11 { #expect(update(9_500) == nil) }
    #expect(update(9_600) == AlertEvent(index: 2, isFiring: true, value: 9_600, threshold: 9_000))
    for _ in 0..<20 { #expect(update(9_500) == nil && update(nil) == nil) }
    #expect(update(8_000) == AlertEvent(index: 2, isFiring: false, value: 8_000, threshold: 9_000))
    #expect(update(8_000) == nil)
    for _ in 0..<12 { _ = update(9_500) }
    alerts.set(AlertRule(), at: 2)
    #expect(update(9_500) == AlertEvent(index: 2, isFiring: false, value: 9_500, threshold: 9_000))
    for _ in 0..<20 { #expect(update(9_500) == nil) }
  }

  @Test("A value that goes up and down with each sample begins nothing")
  func flapping() {
    var alerts = alerts()
    for i in 0..<1_000 as Range<Int64> {
      let now = values(.memory, i % 12 == 11 ? 0 : 10_000)
      alerts.update(now)
      #expect(alerts.change(2, in: now) == nil)
    }
  }

  @Test("All sentences at once have their room")
  func all() {
    var alerts = Alerts()
    for i in 0..<Alerts.count {
      alerts.set(AlertRule(threshold: Alerts.numberMax(i) * Alerts.scale(i), minutes: 1), at: i)
    }
    var most = Values()
    for series in [Series.processors, .load, .memory, .temperature] { most[series] = 1_000_000 }
    for _ in 0..<30_000 { alerts.update(most) }
    let all = sentences(alerts)
    #expect(all.utf8.count <= Alerts.textSizeMax && all.split(separator: ".").count >= 4, "\(all)")
    #expect(all.contains("Temperature above 150.0 °C, for 1 d 17 h 40 min now."))
  }

  @Test("What is written is read again, and every prefix and every flipped octet is damage")
  func file() {
    var alerts = alerts(600 * 100, minutes: 60, at: 1)
    alerts.set(AlertRule(threshold: 750, minutes: 2), at: 3)
    let octets = text { alerts.writeFile(to: &$0) }
    #expect(octets.count <= Alerts.fileSizeMax)
    let again = read(octets)
    #expect((0..<Alerts.count).allSatisfy { again?.rules[$0] == alerts.rules[$0] })
    for count in octets.indices { #expect(read(Array(octets[..<count])) == nil) }
    for i in octets.indices {
      var flipped = octets
      flipped[i] ^= 1
      #expect(read(flipped) == nil, "\(i)")
    }
  }

  @Test("An address is kept with the rules, and one that no form would take is damage")
  func hooks() {
    var alerts = alerts(600 * 100, minutes: 60, at: 1)
    func hook(_ text: String) -> HookAddress? { withGuardedOctets(text) { try? HookAddress($0) } }
    let longest = "http://a/" + String(repeating: "x", count: 191)
    for address in ["http://hook.lan/x?y", longest] {
      alerts.hook = hook(address)!
      let octets = text { alerts.writeFile(to: &$0) }
      #expect(octets.count <= Alerts.fileSizeMax && Alerts.fileSizeMax <= 512)
      #expect(read(octets)?.hook == alerts.hook && read(octets)?.rules[1] == alerts.rules[1])
      for count in octets.indices { #expect(read(Array(octets[..<count])) == nil) }
      for i in octets.indices {
        var flipped = octets
        flipped[i] ^= 1
        #expect(read(flipped) == nil, "\(i)")
      }
    }
    for line in ["https://a/\n", "x\n", "\n", "http://a/ \n", "http://a/\nhttp://b/\n", "http://a/"] {
      let octets = text { writer in
        for octet in ("martlet-alerts 1\n" + String(repeating: "0 5 0 0 0\n", count: 4) + line).utf8 {
          writer.append(octet)
        }
        Checksum.append(to: &writer)
      }
      #expect(read(octets) == nil, "\(line)")
    }
  }

  @Test("Rules that no form would take are damage even under a right digest")
  func wrong() {
    for lines in [
      "", "9000 5 0 0 0\n", "9000 0 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n",
      "9901 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n", "0 61 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n",
      "0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\n",
      "0 5 0 0 0\n0 5 0 0 0\n0 5 0 0 0\nx 5 0 0 0\n",
    ] {
      let octets = text { writer in
        writer.append("martlet-alerts 1\n")
        for octet in lines.utf8 { writer.append(octet) }
        Checksum.append(to: &writer)
      }
      #expect(read(octets) == nil, "\(lines)")
    }
  }

  @Test("A number of the form is whole, not too large, and may be missing")
  func numbers() {
    func number(_ text: String) -> Int64? { withGuardedOctets(text) { Panel.number($0, atMost: 99) } }
    #expect(number("") == 0 && number("  ") == 0 && number(" 90 ") == 90 && number("99") == 99)
    for wrong in ["100", "-1", "1.5", "1,5", "ten", "9 9", "99999999999999999999999", "\u{FF11}"] {
      #expect(number(wrong) == nil, "\(wrong)")
    }
  }
}
