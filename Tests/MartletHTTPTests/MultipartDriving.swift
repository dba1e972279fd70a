// A form in parts, driven through its decoder in every way in which a peer can send the form.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// A part as a test sees it.
struct DecodedPart: Equatable, CustomStringConvertible {
  var name: String
  var fileName: String?
  var mediaType: String?
  var octets: [UInt8] = []
  var isEnded = false
  /// Events of the kind `octets`.
  var portionCount = 0

  static func == (left: Self, right: Self) -> Bool {
    left.name == right.name && left.fileName == right.fileName && left.mediaType == right.mediaType
      && left.octets == right.octets && left.isEnded == right.isEnded
  }

  var text: String { String(decoding: octets, as: UTF8.self) }

  var description: String {
    "\(name) \(fileName ?? "-") \(mediaType ?? "-") \(text.debugDescription) \(isEnded)"
  }
}

/// What a decoder says of a form.
enum FormOutcome: Equatable {
  case complete([DecodedPart])
  case incomplete([DecodedPart])
  case refused(MultipartRefusal)

  /// The parts of a form that is complete, as `name=value` or `name[file]=value`.
  var parts: [String]? {
    guard case .complete(let parts) = self else { return nil }
    return parts.map { "\($0.name)\($0.fileName.map { "[\($0)]" } ?? "")=\($0.text)" }
  }
}

/// Decodes a form that arrives in pieces, against an inaccessible page.
func decodeForm(_ octets: [UInt8], boundary: String, pieceSize: Int) -> FormOutcome {
  decodeForm(octets, boundary: boundary) { _ in pieceSize }
}

func decodeForm(
  _ octets: [UInt8], boundary: String, pieceSize: (Int) -> Int
) -> FormOutcome {
  var parts: [DecodedPart] = []
  do throws(MultipartRefusal) {
    var decoder = try MultipartDecoder(boundary: Array(boundary.utf8).span)
    var position = 0
    while position < octets.count {
      let end = min(octets.count, position + max(1, pieceSize(position)))
      let piece = Array(octets[position..<end])
      // Each guard costs a page, so that of many pieces only some have a guard.
      let isGuarded = piece.count > 30 || position % 32 == 0
      let refusal =
        isGuarded
        ? withGuardedOctets(piece) { span in take(span, &decoder, &parts) }
        : take(piece.span, &decoder, &parts)
      if let refusal { throw refusal }
      position = end
    }
    return decoder.isComplete ? .complete(parts) : .incomplete(parts)
  } catch {
    return .refused(error)
  }
}

private func take(
  _ octets: Span<UInt8>, _ decoder: inout MultipartDecoder, _ parts: inout [DecodedPart]
) -> MultipartRefusal? {
  var rest = octets
  do throws(MultipartRefusal) {
    while let event = try decoder.next(&rest) {
      switch event {
      case .part(let part):
        #expect(parts.last?.isEnded != false, "a part ends before the next one begins")
        parts.append(
          DecodedPart(
            name: String(part.name), fileName: string(part.fileName), mediaType: string(part.mediaType)))
      case .octets(let octets):
        #expect(octets.count > 0 && parts.last?.isEnded == false, "octets belong to a part")
        if parts.isEmpty { return nil }
        parts[parts.count - 1].octets += [UInt8](octets)
        parts[parts.count - 1].portionCount += 1
      case .partEnd:
        #expect(parts.last?.isEnded == false, "a part ends once")
        if !parts.isEmpty { parts[parts.count - 1].isEnded = true }
      }
    }
    #expect(rest.count == 0, "a portion is decoded whole")
    return nil
  } catch { return error }
}

/// Drives a form through the decoder: whole, in pieces, each beginning, and with each octet damaged.
///
/// - A form is the same in pieces of any size.
/// - A beginning of a form is never another form: its parts are those of the whole, the last one perhaps cut.
/// - No damaged octet stops the program.
@discardableResult
func driveForm(
  _ octets: [UInt8], boundary: String, sourceLocation: SourceLocation = #_sourceLocation
) -> FormOutcome {
  let whole = decodeForm(octets, boundary: boundary, pieceSize: octets.count)
  for pieceSize in [1, 2, 3, 7, 64] {
    let inPieces = decodeForm(octets, boundary: boundary, pieceSize: pieceSize)
    #expect(inPieces == whole, "in pieces of \(pieceSize)", sourceLocation: sourceLocation)
  }
  var random = SeededRandom(UInt64(octets.count))
  for _ in 0..<20 {
    let inPieces = decodeForm(octets, boundary: boundary) { _ in Int.random(in: 1...40, using: &random) }
    #expect(inPieces == whole, "in pieces of random sizes", sourceLocation: sourceLocation)
  }
  let step = max(1, octets.count / 100)
  // Long forms come in longer pieces, so that the tests stay quick.
  let pieceSize = max(3, octets.count / 60)
  for count in stride(from: 0, to: octets.count, by: step) {
    let beginning = decodeForm(Array(octets.prefix(count)), boundary: boundary, pieceSize: pieceSize)
    switch (beginning, whole) {
    case (.refused(let refusal), _):
      #expect(whole == .refused(refusal), "the first \(count) octets", sourceLocation: sourceLocation)
    case (.complete(let parts), .complete(let all)):
      #expect(parts == all, "the first \(count) octets", sourceLocation: sourceLocation)
    case (.incomplete(let parts), .complete(let all)), (.incomplete(let parts), .incomplete(let all)):
      let areSame = zip(parts, all).allSatisfy { part, other in
        part.name == other.name && part.fileName == other.fileName
          && (part == other || !part.isEnded && other.octets.starts(with: part.octets))
      }
      #expect(
        parts.count <= all.count && areSame, "the first \(count) octets", sourceLocation: sourceLocation)
    default: break
    }
  }
  for position in stride(from: 0, to: octets.count, by: step) {
    var damaged = octets
    damaged[position] ^= UInt8.random(in: 1...255, using: &random)
    let whole = decodeForm(damaged, boundary: boundary, pieceSize: damaged.count)
    let inPieces = decodeForm(damaged, boundary: boundary, pieceSize: pieceSize)
    #expect(whole == inPieces, "octet \(position) damaged", sourceLocation: sourceLocation)
  }
  return whole
}

@discardableResult
func driveForm(
  _ text: String, boundary: String = "b", sourceLocation: SourceLocation = #_sourceLocation
) -> FormOutcome {
  driveForm(Array(text.utf8), boundary: boundary, sourceLocation: sourceLocation)
}

/// One part as a browser sends it.
func formPart(
  _ disposition: String, _ octets: String, boundary: String = "b", fields: [String] = []
) -> String {
  let lines =
    ["--\(boundary)", "Content-Disposition: form-data; \(disposition)"] + fields + ["", octets, ""]
  return lines.joined(separator: "\r\n")
}
