import Foundation
import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Dates")
struct HTTPDateTests {
  func date(_ seconds: Int64) -> String { written { $0.append(httpDate: seconds) } }

  @Test(
    "Unix seconds become the date of RFC 9110",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
      (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
      (2_147_483_647, "Tue, 19 Jan 2038 03:14:07 GMT"),
      (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func known(seconds: Int64, expected: String) {
    #expect(date(seconds) == expected)
  }

  @Test("Beyond four digits of a year, and before 1970, the nearest date is written")
  func clamped() {
    #expect(date(253_402_300_800) == date(253_402_300_799))
    #expect(date(.max) == date(253_402_300_799))
    #expect(date(-1) == date(0))
    #expect(date(.min) == date(0))
  }

  @Test("Every fifth day until 2500 is the same as Foundation's")
  func calendar() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    for seconds in stride(from: Int64(0), to: 16_725_225_600, by: 5 * 86_400 + 7_919) {
      let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
      #expect(date(seconds) == expected)
    }
  }
}

@Suite("Response heads")
struct ResponseHeadTests {
  func head(_ head: ResponseHead, _ fieldLines: StaticString = "", date: Int64 = 0) -> String {
    written { $0.append(head, date: HTTPDate(date), fieldLines: fieldLines.octets) }
  }

  @Test("A head has the server's fields, then the page's")
  func whole() {
    let ok = ResponseHead(status: .ok, contentLength: 14, closes: false)
    #expect(
      head(ok, "Content-Type: text/plain\r\n", date: 784_111_777)
        == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 14\r\n"
        + "Connection: keep-alive\r\nKeep-Alive: timeout=85\r\nContent-Type: text/plain\r\n\r\n")
  }

  @Test("A connection that closes says so")
  func closes() {
    let refused = ResponseHead(status: .badRequest, contentLength: 0, closes: true)
    #expect(
      head(refused)
        == "HTTP/1.1 400 Bad Request\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        + "Content-Length: 0\r\nConnection: close\r\n\r\n")
  }

  @Test("A status without content has no Content-Length, one without a name no phrase")
  func statuses() {
    let none = ResponseHead(status: .noContent, contentLength: 0, closes: false)
    #expect(!head(none).contains("Content-Length"))
    let teapot = ResponseHead(status: Status(418), contentLength: 0, closes: false)
    #expect(head(teapot).hasPrefix("HTTP/1.1 418 \r\n"))
    #expect(ResponseHead.interimContinue.description == "HTTP/1.1 100 Continue\r\n\r\n")
  }

  @Test("A date that is kept is that of the second set last")
  func keptDate() {
    var kept = HTTPDate(0)
    for seconds: Int64 in [0, 0, 784_111_777, 784_111_778, 784_111_778, -1, .max, .min] {
      kept.set(seconds)
      let text = string(kept.span)
      #expect(text == written { $0.append(httpDate: seconds) })
    }
  }

  @Test("A head that does not fit says so")
  func overflow() {
    let ok = ResponseHead(status: .ok, contentLength: 1, closes: false)
    let result = writtenOctets(capacity: 20) {
      $0.append(ok, date: HTTPDate(0), fieldLines: ("" as StaticString).octets)
    }
    #expect(result.overflowed)
  }

  @Test("A field value from outside cannot begin another line")
  func fieldValues() {
    for octet in UInt8.min...UInt8.max {
      var accepted = false
      let result = withGuardedOctets([0x61, octet, 0x62]) { value in
        writtenOctets { accepted = $0.append(field: "Location", checking: value) }
      }
      #expect(accepted == (octet == 9 || octet >= 0x20 && octet != 0x7F), "\(octet)")
      let expected = Array("Location: a".utf8) + [octet] + Array("b\r\n".utf8)
      #expect(result.octets == (accepted ? expected : []))
    }
  }

  @Test("A field from literals is written as it stands")
  func literals() {
    #expect(written { $0.append(field: "Vary", value: "Cookie") } == "Vary: Cookie\r\n")
  }

  @Test("A literal that is no field stops the program")
  func badLiterals() async {
    await #expect(processExitsWith: .failure) { _ = written { $0.append(field: "A b", value: "") } }
    await #expect(processExitsWith: .failure) { _ = written { $0.append(field: "", value: "") } }
    await #expect(processExitsWith: .failure) {
      _ = written { $0.append(field: "A", value: "\r\n") }
    }
  }
}
