// Where alerts are sent to, how names are asked for, what an answer means, and what is tried when.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private func written(_ write: (inout Writer) -> Void) -> [UInt8] {
  var storage = [UInt8](repeating: 0, count: 2_000)
  var writer = Writer(storage.mutableSpan)
  write(&writer)
  let overflowed = writer.overflowed
  #expect(!overflowed)
  return [UInt8](writer.span)
}

@Suite struct HookAddressTests {
  private func refusal(_ octets: [UInt8]) -> HookAddress.Refusal? {
    withGuardedOctets(octets) { span in
      do throws(HookAddress.Refusal) {
        _ = try HookAddress(span)
        return nil
      } catch { return error }
    }
  }

  private func refusal(_ text: String) -> HookAddress.Refusal? { refusal(Array(text.utf8)) }

  private func request(_ text: String) -> String {
    String(
      decoding: withGuardedOctets(text) { span in
        written { writer in
          if let address = try? HookAddress(span) {
            address.writeRequest(("{}" as StaticString).octets, to: &writer)
          }
        }
      }, as: UTF8.self)
  }

  @Test("An address is http, a host, perhaps a port, a path and a query")
  func addresses() {
    for text in [
      "http://hook.lan", "HTTP://hook.lan/", "http://hook.lan:8080/alerts?key=a%20b&x=",
      "http://192.168.1.20:65535/a;b,c=d/~e/@f:g!$'()*+", "http://[fd00::20]:80/x", "http://[::1]",
      "http://a?b",
      "http://a_b-c.d1/", "http://hook.lan:/x", "http://1a.b2c/",
      "http://" + String(repeating: "a", count: 63),
    ] { #expect(refusal(text) == nil, "\(text)") }
  }

  @Test("https is refused with a reason of its own")
  func https() {
    for text in ["https://hook.lan/", "HTTPS://x", "https://", "hTTps:///"] {
      #expect(refusal(text) == .https, "\(text)")
    }
  }

  @Test("Everything else is refused")
  func others() {
    for text in [
      "", "http", "http:/", "http://", "http:///x", "http://?x", "ftp://a/", "//a/", "/x", "a.lan",
      "http:a.lan",
      "http://user@host/", "http://user:secret@host/", "http://a:0/", "http://a:65536/", "http://a:x/",
      "http://a:-1/",
      "http://a:80:80/", "http://[::1", "http://[::1]x/", "http://[1.2.3.4]/", "http://[fe80::1%25eth0]/",
      "http://::1/",
      "http://a b/", "http://a/b c", "http://a/#x", "http://a/%", "http://a/%4", "http://a/%zz",
      "http://a/[x]",
      "http://2130706433/", "http://127.1/", "http://0x7f.1/", "http://0x7f000001/", "http://1.2.3.256/",
      "http://a..b/",
      "http://.a/", "http://a./", "http://./", "http://\(String(repeating: "a", count: 64))/",
      "http://ä.lan/",
      "http://a/ä", "http://a\\b/", "http://a/\"", "http://a/<b>", "http://a/`", "http://a/{b}",
      "http://a%2Fb/",
      "http://a/\r\nHost: b", "http://a/\nx", "http://a\r\n/", "http://a/\u{0}", "http://a/\u{7F}",
      " http://a/", "http://a/ ",
    ] { #expect(refusal(text) == .malformed, "\(text.debugDescription)") }
    #expect(refusal("http://a/" + String(repeating: "x", count: 191)) == nil)
    #expect(refusal("http://a/" + String(repeating: "x", count: 192)) == .malformed)
  }

  @Test("Every octet at every place, and every prefix: what is accepted has no octet that would end a line")
  func octets() {
    let whole = Array("http://h0.lan:81/a%2Fb?c=d".utf8)
    for count in whole.indices { _ = refusal(Array(whole[..<count])) }
    for i in whole.indices {
      for octet in UInt8.min...UInt8.max {
        var changed = whole
        changed[i] = octet
        guard refusal(changed) == nil else { continue }
        #expect(
          octet > 0x20 && octet < 0x7F && octet != UInt8(ascii: "#") && octet != UInt8(ascii: "\\"),
          "\(i) \(octet)")
        if i < 17 { #expect(octet != UInt8(ascii: "@") && octet != UInt8(ascii: "%"), "\(i) \(octet)") }
      }
    }
  }

  @Test("The request names target and host, and counts its content")
  func requests() {
    func first(_ text: String) -> [Substring] { request(text).split(separator: "\r\n")[0..<2].map { $0 } }
    #expect(first("http://hook.lan:8080/a?b") == ["POST /a?b HTTP/1.1", "Host: hook.lan:8080"])
    #expect(first("http://hook.lan") == ["POST / HTTP/1.1", "Host: hook.lan"])
    #expect(first("http://[::1]?b") == ["POST /?b HTTP/1.1", "Host: [::1]"])
    let whole = request("http://a/")
    #expect(
      whole.hasSuffix("Connection: close\r\nContent-Length: 2\r\n\r\n{}") && !whole.contains("Authorization"))
  }
}

@Suite struct NameQueryTests {
  private func query(_ name: String, number: UInt16 = 0x1234, isIPv6: Bool = false) -> [UInt8] {
    withGuardedOctets(name) { name in
      written { NameQuery.write(name, number: number, isIPv6: isIPv6, to: &$0) }
    }
  }

  private func read(_ answer: [UInt8], _ question: [UInt8]) -> NameQuery.Answer {
    withGuardedOctets(answer) { answer in withGuardedOctets(question) { NameQuery.read(answer, to: $0) } }
  }

  /// A record of an answer; its name is a pointer to the question's.
  private func record(_ type: UInt8, _ data: [UInt8], name: [UInt8] = [0xC0, 12]) -> [UInt8] {
    name + [0, type, 0, 1, 0, 0, 1, 0, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
  }

  private func answer(_ question: [UInt8], _ records: [[UInt8]], code: UInt8 = 0) -> [UInt8] {
    var octets = question
    (octets[2], octets[3], octets[7]) = (0x81, 0x80 | code, UInt8(records.count))
    return octets + records.flatMap { $0 }
  }

  private let address = IPAddress(high: 0, low: 0xFFFF_C000_0207)

  @Test("A question is what RFC 1035 has")
  func question() {
    #expect(
      query("hook.lan") == [
        0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0x68, 0x6F, 0x6F, 0x6B, 3, 0x6C, 0x61, 0x6E, 0, 0, 1, 0,
        1,
      ])
    #expect(query("a", isIPv6: true).suffix(7) == [1, 0x61, 0, 0, 28, 0, 1])
    let longest = (0..<4).map { _ in String(repeating: "a", count: 61) }.joined(separator: ".") + ".bcdef"
    #expect(longest.utf8.count == 253 && query(longest).count == NameQuery.sizeMax)
  }

  @Test("The first address of the right kind counts, also behind the names that a name stands for")
  func answers() {
    let (four, six) = (query("hook.lan"), query("hook.lan", isIPv6: true))
    #expect(read(answer(four, [record(1, [192, 0, 2, 7])]), four) == .address(address))
    let alias = record(5, [3, 0x6E, 0x61, 0x73, 0xC0, 17])
    #expect(
      read(answer(four, [alias, record(1, [192, 0, 2, 7], name: [3, 0x6E, 0x61, 0x73, 0])]), four)
        == .address(address))
    let long: [UInt8] = [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20]
    #expect(
      read(answer(six, [record(28, long)]), six) == .address(IPAddress(high: 0xFD00 << 48, low: 0x20)))
    for records in [[], [alias], [record(28, long)], [record(1, [1, 2, 3])], [record(1, [1, 2, 3, 4, 5])]] {
      #expect(read(answer(four, records), four) == .none)
    }
    for code in 1...15 as ClosedRange<UInt8> {
      #expect(read(answer(four, [record(1, [192, 0, 2, 7])], code: code), four) == .none)
    }
  }

  @Test("What does not answer this question is nobody's answer")
  func foreign() {
    let question = query("hook.lan")
    let good = answer(question, [record(1, [192, 0, 2, 7])])
    #expect(read([], question) == .foreign && read(question, question) == .foreign)
    var others = [answer(query("hook.lan", number: 0x1235), []), answer(query("hook.lam"), [])]
    others.append(answer(query("hook.lan", isIPv6: true), []))
    for other in others { #expect(read(other, question) == .foreign) }
    for (place, octet) in [(2, 0x01), (2, 0x89), (4, 1), (5, 0), (5, 2)] as [(Int, UInt8)] {
      var wrong = good
      wrong[place] = octet
      #expect(read(wrong, question) == .foreign, "\(place)")
    }
    // The case of letters is the server's to choose.
    var upper = good
    upper[13] = 0x48
    #expect(read(upper, question) == .address(address))
  }

  @Test("No octet, no prefix and no noise makes it read beyond the end, or go on for ever")
  func hostile() {
    let question = query("hook.lan")
    let good = answer(question, [record(5, [0xC0, 12]), record(1, [192, 0, 2, 7])])
    for count in good.indices { #expect(read(Array(good[..<count]), question) != .address(address)) }
    for i in good.indices {
      for octet in UInt8.min...UInt8.max {
        var changed = good
        changed[i] = octet
        _ = read(changed, question)
      }
    }
    var random = SeededRandom(6)
    for _ in 0..<3_000 {
      var noise = good
      (noise[6], noise[7]) = (0xFF, 0xFF)
      let tail = Int.random(in: 0..<400, using: &random)
      for _ in 0..<tail {
        noise.append(
          [0, 0xC0, 0xFF, 1, 63, .random(in: 0...255, using: &random)].randomElement(using: &random)!)
      }
      _ = read(noise, question)
    }
  }

  @Test("Lines of hosts and resolv.conf say what their manuals say")
  func texts() {
    func find(_ line: String, _ name: String) -> IPAddress? {
      withGuardedOctets(line) { line in withGuardedOctets(name) { HostsLine.address(line, of: $0) } }
    }
    #expect(
      find("192.0.2.7 hook.lan hook", "HOOK") == address
        && find("192.0.2.7\thook.lan # x", "hook.lan") == address)
    for (line, name) in [
      ("# 192.0.2.7 hook", "hook"), ("192.0.2.7 a # hook", "hook"), ("192.0.2.7", "192.0.2.7"),
      ("hook hook", "hook"),
      ("", "hook"), ("192.0.2.7 hooks", "hook"), ("192.0.2.7 hook", "hoo"),
    ] { #expect(find(line, name) == nil, "\(line)") }
    var servers = NameServers()
    for line in [
      "# nameserver 1.1.1.1", "nameserver 192.0.2.7", "nameserver", "nameserver x", "search lan example",
      "nameserver ::1",
      "options x", "nameserver 192.0.2.7", "nameserver 9.9.9.9",
      "domain \(String(repeating: "a.", count: 80))a", "search ..",
    ] { withGuardedOctets(line) { servers.add($0) } }
    #expect(servers.count == 3 && servers.all[0] == address && servers.all[1] == IPAddress(high: 0, low: 1))
    #expect(servers.domain.isEmpty, "a domain that has no room is none")
  }
}

@Suite struct WebhookTests {
  private func event(_ index: UInt8, _ moment: Int64 = 0) -> AlertEvent {
    AlertEvent(index: index, moment: moment)
  }

  @Test("Only the start of a status line is a status, whatever stands behind")
  func results() {
    func read(_ text: String) -> Int32 { withGuardedOctets(text) { DeliveryResult($0).number } }
    #expect(
      read("HTTP/1.1 204 N") == 204 && read("HTTP/1.0 200\r\n") == 200 && read("HTTP/1.1 302 Found") == 302)
    for text in [
      "", "H", "HTTP/1.1 204", "HTTP/2.0 200 O", "HTTP/1.x 200 ", "http/1.1 200 ", "HTTP/1.1  204 ",
      "HTTP/1.1 2045 ",
      "HTTP/1.1 +20 ", "HTTP/1.1 099 ", "SSH-2.0-OpenSSH_9", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{50}xxxxxx",
      "<!doctype html>",
    ] { #expect(read(text) == DeliveryResult.noHTTP.number, "\(text)") }
    #expect(DeliveryResult(200).isDelivered && DeliveryResult(299).isDelivered)
    for number in [199, 300, 302, 404, 500, 0, -1] as [Int32] { #expect(!DeliveryResult(number).isDelivered) }
  }

  @Test("An alert is one line of JSON with its unit, and the name of the device cannot break it")
  func json() {
    func text(_ event: AlertEvent, _ device: String = "pi") -> String {
      withGuardedOctets(device) { device in
        String(decoding: written { event.write(of: device, to: &$0) }, as: UTF8.self)
      }
    }
    let memory = AlertEvent(index: 2, isFiring: true, value: 9_731, threshold: 9_000, time: 1_764_000_000)
    #expect(
      text(memory)
        == #"{"device":"pi","alert":"memory","state":"firing","value":97.31,"threshold":90.00,"unit":"percent","time":1764000000}"#
        + "\n")
    let cold = AlertEvent(index: 3, value: -5, threshold: 800)
    #expect(
      text(cold).contains(
        #""alert":"temperature","state":"resolved","value":-0.5,"threshold":80.0,"unit":"celsius","time":null"#
      ))
    #expect(
      text(AlertEvent(index: 1, value: AlertEvent.unknown, threshold: 300)).contains(
        #""value":null,"threshold":3.00,"unit":"tasks""#))
    let test = AlertEvent(index: AlertEvent.testIndex, time: 5)
    #expect(
      text(test)
        == #"{"device":"pi","alert":"test","state":"test","value":null,"threshold":null,"unit":"","time":5}"#
        + "\n")
    for (index, name) in ["processors", "load", "memory", "temperature", "test"].enumerated() {
      #expect(text(event(UInt8(index))).contains("\"alert\":\"\(name)\""))
    }
    let nasty = text(memory, "\"\\\u{1}" + String(repeating: "\u{1}", count: 93))
    #expect(nasty.utf8.count <= AlertEvent.sizeMax && nasty.hasPrefix(#"{"device":"\"\\\u0001"#))
    let largest = AlertEvent(index: 2, isFiring: true, value: .min, threshold: .max, time: .max)
    #expect(text(largest, String(repeating: "\u{1}", count: 96)).utf8.count <= AlertEvent.sizeMax)
  }

  @Test("What has been taken is forgotten, and the next one goes at once")
  func order() {
    var hook = Webhook()
    #expect(hook.begin(at: 0, time: 0) == nil && !hook.isBusy)
    for i in 0..<3 as Range<UInt8> { #expect(hook.add(event(i)) == nil) }
    for i in 0..<3 as Range<UInt8> {
      #expect(hook.begin(at: 6, time: 0)?.index == i && hook.begin(at: 6, time: 0) == nil, "one at a time")
      #expect(hook.end(DeliveryResult(204), at: 6, time: 9) == nil && hook.count == 2 - Int(i))
    }
    #expect(hook.result == DeliveryResult(204) && hook.resultTime == 9 && !hook.isBusy)
  }

  @Test(
    "A host that is down for an hour gets the alert within ten minutes, after a dozen tries with growing pauses"
  )
  func retries() {
    var hook = Webhook()
    _ = hook.add(event(0))
    var (now, moments) = (Int64(0), [Int64]())
    while now < 3_600_000 {
      if hook.begin(at: now, time: 0) != nil {
        moments.append(now / 1_000)
        #expect(hook.end(.refused, at: now, time: 0) == nil)
      }
      now += 5_000
    }
    #expect(moments == [0, 10, 40, 130, 400, 1_000, 1_600, 2_200, 2_800, 3_400])
    while now < 9_000_000, hook.begin(at: now, time: 0) == nil { now += 5_000 }
    #expect(now <= 4_200_000 && hook.end(DeliveryResult(200), at: now, time: 0) == nil && hook.count == 0)
    _ = hook.add(event(1, now))
    #expect(hook.begin(at: now, time: 0)?.index == 1)
    #expect(hook.end(.silent, at: now, time: 0) == nil && hook.due == now + 10_000, "pauses begin anew")
  }

  @Test("After 80 minutes an alert is given up, and those behind it are as well in their time")
  func givenUp() {
    var hook = Webhook()
    for i in 0..<3 as Range<UInt8> { _ = hook.add(event(i, Int64(i) * 1_000)) }
    var (now, dropped, tries) = (Int64(3_000), [UInt8](), 0)
    while hook.count > 0, now < 20_000_000 {
      if hook.begin(at: now, time: 0) != nil {
        tries += 1
        if let event = hook.end(DeliveryResult(302), at: now, time: 0) { dropped.append(event.index) }
      }
      now += 5_000
    }
    #expect(dropped == [0, 1, 2] && tries <= 16 && now < 7_200_000, "\(tries) \(now)")
  }

  @Test("In a queue that is full the oldest one makes room, but not the one that is under way")
  func full() {
    var hook = Webhook()
    func add(_ number: Int64) -> Int64? { hook.add(event(0, number))?.moment }
    for i in 0..<8 as Range<Int64> { #expect(add(i) == nil) }
    #expect(add(8) == 0 && hook.count == 8)
    #expect(hook.begin(at: 0, time: 0)?.moment == 1)
    #expect(add(9) == 2 && hook.count == 8)
    #expect(hook.end(DeliveryResult(200), at: 0, time: 0) == nil)
    var rest = [Int64]()
    while rest.count < 20, let next = hook.begin(at: 0, time: 0) {
      rest.append(next.moment)
      _ = hook.end(DeliveryResult(200), at: 0, time: 0)
    }
    #expect(rest == [3, 4, 5, 6, 7, 8, 9])
  }

  @Test("A test goes before all others, is tried once, and opens the way where it is taken")
  func test() {
    var hook = Webhook()
    _ = hook.add(event(0))
    _ = hook.begin(at: 0, time: 0)
    _ = hook.end(.unreachable, at: 0, time: 0)
    hook.addTest()
    #expect(hook.isTesting && hook.begin(at: 1, time: 7)?.index == AlertEvent.testIndex && hook.isTesting)
    #expect(hook.add(event(1)) == nil && hook.end(DeliveryResult(404), at: 2, time: 7) == nil)
    #expect(!hook.isTesting && hook.count == 2 && hook.begin(at: 3, time: 0) == nil, "it waits for its pause")
    hook.addTest()
    _ = hook.begin(at: 4, time: 0)
    _ = hook.end(DeliveryResult(200), at: 5, time: 0)
    #expect(hook.begin(at: 5, time: 0)?.index == 0)
  }

  @Test("Another address has nothing of the former one's result, and gets what waits")
  func changes() {
    var hook = Webhook()
    _ = hook.add(event(0))
    _ = hook.begin(at: 0, time: 0)
    hook.addressChanged(isEmpty: false)
    #expect(hook.begin(at: 1, time: 0) == nil, "the child is still under way")
    #expect(hook.end(DeliveryResult(200), at: 2, time: 0) == nil && hook.result == .none && hook.count == 1)
    #expect(hook.begin(at: 3, time: 0)?.index == 0)
    hook.addressChanged(isEmpty: true)
    #expect(hook.end(.silent, at: 4, time: 0) == nil && hook.count == 0 && !hook.isBusy)
    hook.addTest()
    hook.addressChanged(isEmpty: true)
    #expect(hook.begin(at: 5, time: 0) == nil)
  }
}
