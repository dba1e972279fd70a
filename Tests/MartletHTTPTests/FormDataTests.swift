import MartletBytes
import TestSupport
import Testing

@testable import MartletHTTP

@Suite("Forms in parts as fields")
struct FormDataTests {
  private func fields(
    _ text: String, capacity: Int = 4_096, boundary: String = "b"
  ) -> Result<[String], MultipartRefusal> {
    let mediaType = Array("multipart/form-data; boundary=\(boundary)".utf8)
    let content = Array(text.utf8)
    var refusal: MultipartRefusal?
    let written = writtenOctets(capacity: capacity) { writer in
      do throws(MultipartRefusal) {
        try FormData.write(content.span, mediaType: mediaType.span, to: &writer)
      } catch { refusal = error }
    }
    if let refusal { return .failure(refusal) }
    var result: [String] = []
    var fields = FormFields(written.octets.span)
    while let field = fields.next() {
      result.append("\(decoded(field.name)) = \(decoded(field.value))")
    }
    return .success(result)
  }

  private func decoded(_ value: borrowing FormValue) -> String {
    var octets: [UInt8] = []
    var decoder = value.decoder
    while let octet = decoder.next() { octets.append(octet) }
    return String(decoding: octets, as: UTF8.self)
  }

  @Test("Each field is read as it was sent, whatever signs it has")
  func read() {
    let all = String(decoding: (UInt8(0)...127).filter { $0 != 13 }, as: UTF8.self)
    let text =
      formPart("name=\"user name\"", "susan") + formPart("name=\"a&b=c%\"", "1&2=3%20+ä")
      + formPart("name=all", all) + formPart("name=\"%22\"", "\r\n--\r\n")
      + formPart("name=f; filename=x", "data")
      + formPart("name=empty", "") + "--b--\r\n"
    let expected = [
      "user name = susan", "a&b=c% = 1&2=3%20+ä", "all = \(all)", "\" = \r\n--\r\n", "f = data", "empty = ",
    ]
    #expect(fields(text) == .success(expected))
    // A field without name and value is one octet, and still a field.
    let nameless = formPart("name=\"\"", "") + formPart("name=x", "1") + "--b--\r\n"
    #expect(fields(nameless) == .success([" = ", "x = 1"]))
  }

  @Test("A form that is refused, has no end or does not fit gives no fields")
  func refused() {
    #expect(fields(formPart("name=x", "1")) == .failure(.truncated))
    #expect(fields("") == .failure(.truncated))
    #expect(fields(formPart("name=x", "1") + "--c--") == .failure(.truncated))
    #expect(fields("--b\r\n\r\n1\r\n--b--") == .failure(.dispositionMalformed))
    #expect(fields("", boundary: "") == .failure(.boundaryMalformed))
    let ampersands = formPart("name=x", String(repeating: "&", count: 30)) + "--b--"
    #expect(fields(ampersands, capacity: 92) == .success(["x = " + String(repeating: "&", count: 30)]))
    #expect(fields(ampersands, capacity: 91) == .failure(.tooLarge))
  }
}
