// The vectors of python-multipart: forms in parts and what is found in them.

import Foundation
import MartletHTTP
import TestSupport
import Testing

@Suite("The vectors of python-multipart")
struct KludexTests {
  /// Decided otherwise here: python-multipart decodes these.
  static let refusedHere: [String: MultipartRefusal] = [
    "base64_encoding": .transferEncodingUnknown,
    "mixed_case_headers": .transferEncodingUnknown,
    "mixed_plain_and_base64_encoding": .transferEncodingUnknown,
    "quoted_printable_encoding": .transferEncodingUnknown,
  ]

  @Test("Forms are decoded or refused as python-multipart does")
  func vectors() throws {
    let cases = try #require(try vectorJSON("multipart-kludex/cases.json") as? [[String: Any]])
    #expect(cases.count == 30)
    for vector in cases {
      let name = try #require(vector["name"] as? String)
      var boundary = try #require(vector["boundary"] as? String)
      // The form of this vector has another boundary than the vector says.
      if name == "single_field_blocks" { boundary = "boundary" }
      let octets = latin1(try #require(vector["body_latin1"] as? String))
      let outcome = driveForm(octets, boundary: boundary)
      if let refusal = Self.refusedHere[name] {
        #expect(outcome == .refused(refusal), "\(name)")
        continue
      }
      guard let expected = vector["parts"] as? [[String: Any]] else {
        if case .complete = outcome { Issue.record("\(name) is refused, or never complete") }
        continue
      }
      guard case .complete(let parts) = outcome else {
        Issue.record("\(name): \(outcome)")
        continue
      }
      #expect(parts.map(\.name) == expected.map { $0["name"] as? String ?? "" }, "\(name)")
      #expect(parts.map(\.fileName) == expected.map { $0["file_name"] as? String }, "\(name)")
      #expect(parts.map(\.octets) == expected.map { latin1($0["data"] as? String ?? "") }, "\(name)")
      for (part, other) in zip(parts, expected) {
        if let type = other["content_type"] as? String, part.fileName != nil {
          #expect(part.mediaType == type, "\(name)")
        }
      }
    }
  }

  private func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }
}
