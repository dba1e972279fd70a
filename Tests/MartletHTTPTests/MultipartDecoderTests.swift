import MartletBytes
import MartletHTTP
import TestSupport
import Testing

@Suite("Forms in parts")
struct MultipartDecoderTests {
  private func boundary(of mediaType: String) -> MultipartRefusal? {
    let octets = Array(mediaType.utf8)
    return withGuardedOctets(octets) { span in
      do throws(MultipartRefusal) {
        _ = try MultipartDecoder(mediaType: span)
        return nil
      } catch { return error }
    }
  }

  // MARK: The boundary

  @Test(
    "A boundary is a token or a quoted string",
    arguments: [
      "multipart/form-data; boundary=x", "Multipart/Form-Data;boundary=----WebKitFormBoundaryAB12",
      "multipart/form-data; charset=utf-8; Boundary=\"a b\"",
      "multipart/form-data ; boundary=\"'()+_,-./:=?\"",
      "multipart/form-data; boundary=----=_Part_0_1.2",
      "multipart/form-data; boundary=x; ; charset=\"a;b\\\"c\"",
      "multipart/form-data; boundary=" + String(repeating: "x", count: 70),
    ])
  func boundaries(_ mediaType: String) { #expect(boundary(of: mediaType) == nil) }

  @Test(
    "A boundary that is empty, missing, repeated, too long or ends with a blank is refused",
    arguments: [
      "multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary=",
      "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"a \"",
      "multipart/form-data; boundary=a; boundary=a", "multipart/form-data; boundary=a;boundary=\"b\"",
      "multipart/form-data; boundary=" + String(repeating: "x", count: 71),
      "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=a b",
      "multipart/form-data; boundary = a", "multipart/form-data; =a",
      "multipart/form-data; boundary=\"a\\\"b\"", "multipart/form-data; boundary=a*b",
      "multipart/form-data; boundary=ä", "multipart/form-data; boundary=\"a\tb\"",
    ])
  func malformedBoundaries(_ mediaType: String) { #expect(boundary(of: mediaType) == .boundaryMalformed) }

  @Test(
    "Another media type is refused",
    arguments: [
      "", "multipart/mixed; boundary=a", "multipart/form-data, boundary=a", "form-data; boundary=a",
    ])
  func otherTypes(_ mediaType: String) { #expect(boundary(of: mediaType) == .mediaTypeUnknown) }

  // MARK: Data

  @Test("Parts are found with their names, types and octets")
  func parts() {
    let text =
      formPart("name=\"a\"", "1")
      + formPart(
        "name=\"f\"; filename=\"x.txt\"", "2\r\n3",
        fields: [
          "Content-Type: text/plain; charset=utf-8"
        ]) + formPart("name=a", "") + "--b--\r\n"
    guard case .complete(let parts) = driveForm(text) else { return #expect(Bool(false)) }
    #expect(parts.map(\.name) == ["a", "f", "a"])
    #expect(parts.map(\.text) == ["1", "2\r\n3", ""])
    #expect(parts.map(\.fileName) == [nil, "x.txt", nil])
    #expect(parts.map(\.mediaType) == [nil, "text/plain; charset=utf-8", nil])
    let filtered = parts.allSatisfy(\.isEnded)
    #expect(filtered)
  }

  @Test(
    "Octets that begin like a boundary and are none stay as they are",
    arguments: [
      "\r", "\n", "\r\n", "\r\n-", "\r\n--", "\r\n--c", "\n--b", "\r--b", "--b", "--b--", "\r\n\r\n--",
      "\r\n--bb", "\r\n--b\r", "\r\n--b\rx", "\r\n--b-", "\r\n--b-x", "\r\n--b\r\r\n--", "\r\r\n--\r\n--",
      "\r\n--b\n", "\r\n--B\r\n", "\r\n-\r\n--\r\n--b-\r\n--bx", "\r\n--b-\r\n--b\r\r\r",
    ])
  func almost(_ data: String) {
    for tail in ["", "tail"] {
      let text = formPart("name=x", data + tail) + "--b--"
      #expect(driveForm(text).parts == ["x=\(data)\(tail)"])
    }
  }

  @Test("A boundary in the data ends the part, and what follows must be a part")
  func boundaryInData() {
    #expect(driveForm(formPart("name=x", "1\r\n--b--\r\n2") + "--b--").parts == ["x=1"])
    #expect(driveForm(formPart("name=x", "1\r\n--b\r\n2") + "--b--") == .refused(.headMalformed))
    #expect(driveForm(formPart("name=x", "1\r\n--b 2") + "--b--") == .refused(.delimiterMalformed))
  }

  @Test("A form inside of a part is data")
  func nested() {
    let inner = formPart("name=\"inner\"", "1", boundary: "in") + "--in--\r\n"
    let text = formPart("name=x", inner, fields: ["Content-Type: multipart/mixed; boundary=in"]) + "--b--"
    #expect(driveForm(text).parts == ["x=\(inner)"])
    // A boundary that begins with the outer one is another boundary.
    let similar = formPart("name=\"inner\"", "1", boundary: "bb") + "--bb--\r\n"
    #expect(driveForm(formPart("name=x", similar) + "--b--").parts == ["x=\(similar)"])
  }

  @Test("Portions are few, however many line ends are in the data")
  func fewPortions() {
    let data = String(repeating: "\r\n--\r\r\n--b\r\r\n--b-", count: 400)
    for pieceSize in [100_000, 1_000] {
      let octets = Array((formPart("name=x", data) + "--b--").utf8)
      guard case .complete(let parts) = decodeForm(octets, boundary: "b", pieceSize: pieceSize) else {
        return #expect(Bool(false))
      }
      #expect(parts[0].text == data)
      #expect(parts[0].portionCount <= 2 * (octets.count / pieceSize + 1))
    }
  }

  // MARK: Boundaries

  @Test("What is around the parts is ignored, up to a limit")
  func margins() {
    let part = formPart("name=x", "1")
    for text in [
      "text\r\n" + part + "--b--", "\r\n\r\n" + part + "--b--\r\nepilogue\r\n--b\r\n", part + "--b-- \t\r\n",
      "--x\r\n--bx\r\n" + part + "--b--x", "--b \t \r\n" + part.dropFirst(4) + "--b--",
    ] {
      #expect(driveForm(text).parts == ["x=1"])
    }
    let margin = String(repeating: "m", count: Limits.partMarginSizeMax)
    #expect(driveForm(margin.dropLast(2) + "\r\n" + part + "--b--").parts == ["x=1"])
    #expect(driveForm(margin + "m\r\n" + part + "--b--") == .refused(.marginTooLarge))
    #expect(driveForm(part + "--b--" + margin).parts == ["x=1"])
    #expect(driveForm(part + "--b--m" + margin) == .refused(.marginTooLarge))
    let blanks = String(repeating: " ", count: Limits.partMarginSizeMax)
    #expect(driveForm("--b" + blanks + "\r\n" + part.dropFirst(4) + "--b--").parts == ["x=1"])
    #expect(driveForm("--b " + blanks + "\r\n" + part.dropFirst(4)) == .refused(.marginTooLarge))
  }

  @Test("A form without parts is a form, unless text stands in the place of its parts")
  func empty() {
    #expect(driveForm("--b--").parts == [])
    #expect(driveForm("--b--\r\n").parts == [])
    #expect(
      driveForm("--c\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--") == .refused(.partMissing))
  }

  @Test(
    "A form that is cut off, or has another boundary, never becomes complete",
    arguments: [
      "", "-", "--b", "--b-", "--b\r\n", "--c--\r\n", "--b\r\nContent-Disposition: form-data; name=x\r\n",
    ])
  func truncated(_ text: String) {
    guard case .incomplete = driveForm(text) else { return #expect(Bool(false), "\(text)") }
    var decoder: MultipartDecoder?
    do throws(MultipartRefusal) {
      decoder = try MultipartDecoder(boundary: ("b" as StaticString).octets)
    } catch {}
    #expect(throws: MultipartRefusal.truncated) { try decoder?.checkEnd() }
  }

  @Test("A decoder of no form is complete, and refuses octets")
  func noForm() {
    var decoder = MultipartDecoder()
    #expect(decoder.isComplete)
    let octets: [UInt8] = [1]
    var refusal: MultipartRefusal?
    var rest = octets.span
    do throws(MultipartRefusal) { _ = try decoder.next(&rest) } catch { refusal = error }
    #expect(refusal == .marginTooLarge)
  }

  @Test("A line end other than CR LF in a boundary line is no boundary, or refused")
  func missingLineEnds() {
    #expect(driveForm("--b\nContent-Disposition: form-data; name=x\n\n1\n--b--") == .incomplete([]))
    #expect(driveForm("--b \nContent-Disposition: form-data; name=x") == .refused(.delimiterMalformed))
    let head = "--b\r\nContent-Disposition: form-data; name=x"
    for text in ["\n\r\n1", "\r\n\n1", "\r1\r\n", "\r\n\r1\r\n"] {
      #expect(driveForm(head + text + "\r\n--b--") == .refused(.headMalformed), "\(text)")
    }
    // Without an empty line, the data is read as a field line.
    #expect(driveForm(head + "\r\n1\r\n--b--") == .refused(.headMalformed))
    #expect(driveForm("--b\r\n\r\n1\r\n--b--") == .refused(.dispositionMalformed))
  }

  @Test("A hundred parts are taken, and ten thousand empty ones are refused")
  func manyParts() {
    let part = formPart("name=x", "")
    let full = String(repeating: part, count: Limits.partCountMax) + "--b--"
    #expect(decodeForm(Array(full.utf8), boundary: "b", pieceSize: 99).parts?.count == Limits.partCountMax)
    let tooMany = String(repeating: part, count: 10_000) + "--b--"
    #expect(decodeForm(Array(tooMany.utf8), boundary: "b", pieceSize: 99) == .refused(.tooManyParts))
    #expect(
      driveForm(String(repeating: "--b\r\n\r\n", count: 10_000)) == .refused(.dispositionMalformed))
  }

  // MARK: Heads

  @Test("A head of 512 octets is taken, and a longer one is refused before its end")
  func largeHeads() {
    let rest = Limits.partHeadSizeMax - 2 - "Content-Disposition: form-data; name=x\r\nA: \r\n".utf8.count
    let line = "A: " + String(repeating: "a", count: rest)
    #expect(driveForm(formPart("name=x", "1", fields: [line]) + "--b--").parts == ["x=1"])
    #expect(driveForm(formPart("name=x", "1", fields: [line + "a"]) + "--b--") == .refused(.headTooLarge))
    let bomb = "--b\r\n" + String(repeating: "a", count: 100_000)
    #expect(decodeForm(Array(bomb.utf8), boundary: "b", pieceSize: 999) == .refused(.headTooLarge))
    let lines = "--b\r\n" + String(repeating: "a:\r\n", count: 100_000)
    #expect(decodeForm(Array(lines.utf8), boundary: "b", pieceSize: 999) == .refused(.headTooLarge))
  }

  @Test(
    "A malformed field line is refused",
    arguments: [
      " folded", "no colon", ": empty", "a b: c", "a : b", "a: \u{0}", "a: b\rc", "a\u{7F}: b",
      "Content-Type: a\r\n b",
    ])
  func malformedLines(_ line: String) {
    #expect(driveForm(formPart("name=x", "1", fields: [line]) + "--b--") == .refused(.headMalformed))
  }

  @Test(
    "Names are decoded as browsers send them",
    arguments: [
      ("name=\"a b\"", "a b"), ("name=a", "a"), ("NAME=\"a\"", "a"), ("name=\"\"", ""),
      ("name=\"a\\\"b\"", "a\"b"), ("name=\"a%22b\"", "a\"b"), ("name=\"a\\\\b\"", "a\\b"),
      ("name=\"C:\\new\\x\"", "C:\\new\\x"), ("name=\"a%0D%0Ab%0d%0a\"", "a\r\nb\r\n"),
      ("name=\"100%25 %2 % %\"", "100%25 %2 % %"), ("name=\"; filename=x\"", "; filename=x"),
      ("name=\"ä ☃\"", "ä ☃"), ("  ; ;name=a ; ", "a"), ("x=y; name=a; z=\"name=b\"", "a"),
      ("name=\"\\\"\"", "\""), ("name=a%22b", "a\"b"), ("name=\"%22%22%0A\"", "\"\"\n"),
      ("filename*=UTF-8''b; name=a", "a"), ("name=\"a\\\"; filename=\\\"x\"", "a\"; filename=\"x"),
    ])
  func names(_ disposition: String, _ name: String) {
    guard case .complete(let parts) = driveForm(formPart(disposition, "1") + "--b--") else {
      return #expect(Bool(false))
    }
    #expect(parts == [DecodedPart(name: name, octets: [0x31], isEnded: true)])
  }

  @Test("The name of a file is given as it was sent, and its extended form is ignored")
  func fileNames() {
    for (disposition, fileName) in [
      ("name=x; filename=\"a.txt\"", "a.txt"), ("filename=\"\"; name=x", ""),
      ("name=x; filename=\"../../etc/passwd\"", "../../etc/passwd"), ("name=x; FILENAME=a", "a"),
      ("name=x; filename=\"C:\\dir\\a.txt\"; filename*=UTF-8''other.txt", "C:\\dir\\a.txt"),
      ("name=x; filename=\"a%22%0D%0Ab\"", "a\"\r\nb"), ("name=\"a%22\"; filename=\"\\\"b\\\"\"", "\"b\""),
    ] {
      guard case .complete(let parts) = driveForm(formPart(disposition, "1") + "--b--") else {
        return #expect(Bool(false), "\(disposition)")
      }
      #expect(parts.map(\.fileName) == [fileName])
    }
    let extended = driveForm(formPart("name=x; filename*=UTF-8''a.txt", "1") + "--b--")
    #expect(extended.parts == ["x=1"], "a part with the extended form alone is no file")
  }

  @Test(
    "A disposition without one name is refused",
    arguments: [
      "", "filename=a", "name", "name=", "name=a; name=b", "name=a; NAME=a", "name=\"a", "name=\"a\\\"",
      "name=a b", "name=\"a\"b", "name=x; filename=a; filename=b", "name =a", "name=ä", "name*=UTF-8''a",
      "name=\"a\" \"b\"",
    ])
  func malformedDispositions(_ disposition: String) {
    let text = formPart(disposition, "1") + "--b--"
    #expect(driveForm(text) == .refused(.dispositionMalformed))
  }

  @Test("Two dispositions, another type of disposition, and two types are refused")
  func repeatedLines() {
    for (lines, refusal) in [
      (
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=a",
        .dispositionMalformed
      ),
      ("Content-Disposition: attachment; name=a", .dispositionMalformed),
      ("Content-Type: a/b", .dispositionMalformed),
      ("Content-Disposition: form-data", .dispositionMalformed),
      ("Content-Disposition:", .dispositionMalformed),
      ("Content-Disposition: form-datax; name=a", .dispositionMalformed),
      ("Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Disposition: form-data; name=a", .headMalformed),
    ] as [(String, MultipartRefusal)] {
      #expect(driveForm("--b\r\n\(lines)\r\n\r\n1\r\n--b--") == .refused(refusal), "\(lines)")
    }
  }

  @Test("A transfer encoding that changes octets is refused")
  func transferEncodings() {
    for encoding in ["7bit", "8BIT", "binary"] {
      let part = formPart("name=x", "1", fields: ["Content-Transfer-Encoding: \(encoding)"])
      #expect(driveForm(part + "--b--").parts == ["x=1"])
    }
    for encoding in ["base64", "quoted-printable", "", "7bit, base64"] {
      let part = formPart("name=x", "1", fields: ["Content-Transfer-Encoding: \(encoding)"])
      #expect(driveForm(part + "--b--") == .refused(.transferEncodingUnknown))
    }
  }

  @Test("The field _charset_ is a field as any other (RFC 7578 §4.6)")
  func charset() {
    let text = formPart("name=\"_charset_\"", "iso-8859-1") + formPart("name=x", "1") + "--b--"
    #expect(driveForm(text).parts == ["_charset_=iso-8859-1", "x=1"])
  }

  @Test("A head of one part is not seen in the next part")
  func headsAreSeparate() {
    let text =
      formPart("name=a; filename=f", "1", fields: ["Content-Type: a/b"]) + "--b\r\nX: y\r\n\r\n2\r\n--b--"
    #expect(driveForm(text) == .refused(.dispositionMalformed))
  }

  @Test("The longest boundary is found")
  func longBoundary() {
    let boundary = String(repeating: "-", count: 69) + "x"
    let text = formPart("name=x", "1\r\n--" + boundary.dropLast(), boundary: boundary) + "--\(boundary)--"
    #expect(driveForm(text, boundary: boundary).parts == ["x=1\r\n--" + boundary.dropLast()])
  }

  @Test("Each refusal has a status of a client's error and words")
  func refusals() {
    for number in UInt8(0)... {
      guard let refusal = MultipartRefusal(rawValue: number) else {
        #expect(number == 12)
        break
      }
      #expect((400..<500).contains(refusal.status.code))
      let count = refusal.reason.utf8CodeUnitCount
      #expect(count > 15)
    }
  }

  @Test("The state of an upload has room for a decoder, the longest file name and a file writer")
  func fits() {
    let size = MemoryLayout<MultipartDecoder>.size + MemoryLayout<FileName>.size + 32
    #expect(size <= Limits.uploadStateSizeMax - 100)
  }
}
