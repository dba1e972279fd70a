// Forms in parts: found in any portions, with each octet of the data where it belongs.

import MartletBytes
import MartletHTTP

/// The boundary is the input's first line; the rest is the form.
@Sendable func fuzzMultipart(_ input: Span<UInt8>) {
  let octets = expanded(input)
  let lineEnd = octets.firstIndex(of: 0x0A) ?? octets.endIndex
  let boundary = Octets(octets[..<lineEnd])
  let form = Octets(octets[lineEnd...].dropFirst())
  checkMediaType(boundary)
  checkFileName(form)
  let whole = decodedForm(form, boundary, nil)
  // Long forms reach the limits, and cost more.
  let isShort = form.count < 4_096
  for seed in 0..<(isShort ? 3 : 1) {
    check(
      decodedForm(form, boundary, Draw(form + [UInt8(seed)])) == whole, "a form is the same in portions")
  }
  if case .complete(let parts) = whole {
    check(parts.count <= Limits.partCountMax, "parts are within their limit")
    check(parts.allSatisfy(\.isEnded), "each part of a complete form has ended")
    check(parts.map(\.octets) == dataOfParts(form, boundary), "the data is what is between the boundaries")
  }
  if isShort { checkRoundTrip(form) }
}

private struct Part: Equatable {
  var name: Octets
  var fileName: Octets?
  var octets = Octets()
  var isEnded = false
}

private enum Form: Equatable {
  case complete([Part])
  case incomplete([Part])
  case refused(MultipartRefusal)
}

private func decodedForm(_ octets: Octets, _ boundary: Octets, _ draw: Draw?) -> Form {
  var draw = draw
  var parts: [Part] = []
  do throws(MultipartRefusal) {
    var decoder = try MultipartDecoder(boundary: boundary.span)
    var start = 0
    while start < octets.count {
      let rest = octets.count - start
      let count = draw == nil ? rest : 1 + (draw?.below(min(rest, 40)) ?? 0)
      let refusal = withExactCopy(Octets(octets[start..<start + count])) { take($0, &decoder, &parts) }
      if let refusal { throw refusal }
      start += count
    }
    return decoder.isComplete ? .complete(parts) : .incomplete(parts)
  } catch { return .refused(error) }
}

private func take(
  _ octets: Span<UInt8>, _ decoder: inout MultipartDecoder, _ parts: inout [Part]
) -> MultipartRefusal? {
  var rest = octets
  do throws(MultipartRefusal) {
    while let event = try decoder.next(&rest) {
      switch event {
      case .part(let part):
        check(parts.last?.isEnded != false, "a part begins where none is open")
        parts.append(Part(name: Octets(part.name), fileName: copied(part.fileName)))
        checkFileName(parts[parts.count - 1].fileName)
      case .octets(let octets):
        check(octets.count > 0 && parts.last?.isEnded == false, "octets belong to a part")
        if !parts.isEmpty { parts[parts.count - 1].octets += Octets(octets) }
      case .partEnd:
        check(parts.last?.isEnded == false, "a part ends once")
        if !parts.isEmpty { parts[parts.count - 1].isEnded = true }
      }
    }
    check(rest.count == 0, "a portion is decoded whole")
    return nil
  } catch { return error }
}

/// The data of each part, found in the simplest way; for a form that has been found complete.
private func dataOfParts(_ form: Octets, _ boundary: Octets) -> [Octets] {
  let delimiter = Octets("\r\n--") + boundary
  let text = Octets("\r\n") + form
  var result: [Octets] = []
  var start: Int?
  var i = 0
  while i + delimiter.count < text.count {
    guard text[i] == 0x0D, text[i...].starts(with: delimiter) else {
      i += 1
      continue
    }
    let behind = text[(i + delimiter.count)...]
    guard
      behind[behind.startIndex] == 0x20 || behind[behind.startIndex] == 0x09
        || behind.starts(with: Octets("\r\n")) || behind.starts(with: Octets("--"))
    else {
      i += 1
      continue
    }
    if let start { result.append(Octets(text[start..<i])) }
    if behind.starts(with: Octets("--")) { return result }
    guard var end = text[i...].dropFirst(2).firstIndex(of: 0x0A) else { return result }
    // The head ends with an empty line.
    while !text[end...].starts(with: Octets("\n\r\n")) { end += 1 }
    start = end + 3
    i = end + 3
  }
  return result
}

/// A name that a folder may have, or none.
private func checkFileName(_ sent: Octets?) {
  guard let sent else { return }
  let name = withExactCopy(sent) { span -> Octets? in
    guard let name = FileName(span) else { return nil }
    return Octets(name.span)
  }
  guard let name else { return }
  check(name.count > 0 && name.count <= Limits.fileNameSizeMax, "a file's name has a limit")
  check(
    name.first != 0x2E && sent.suffix(name.count) == name[...], "a file's name is the end of what was sent")
  check(!name.contains { $0 < 0x20 || $0 == 0x7F || $0 == 0x2F || $0 == 0x5C }, "a file's name is no path")
}

/// Any value of Content-Type: one boundary that is well-formed, or a refusal.
private func checkMediaType(_ octets: Octets) {
  let quoted = Octets("multipart/form-data; boundary=\"") + octets + Octets("\"")
  let given = outcome(of: { () throws(MultipartRefusal) in try MultipartDecoder(boundary: octets.span) })
  let read = outcome(of: { () throws(MultipartRefusal) in try MultipartDecoder(mediaType: quoted.span) })
  if given == nil { check(read == nil, "a boundary in quotation marks is read") }
  withExactCopy(octets) { span in
    _ = outcome(of: { () throws(MultipartRefusal) in try MultipartDecoder(mediaType: span) })
  }
}

private func outcome(of make: () throws(MultipartRefusal) -> MultipartDecoder) -> MultipartRefusal? {
  do throws(MultipartRefusal) {
    _ = try make()
    return nil
  } catch { return error }
}

/// Any data comes back, with a boundary that the data does not have.
private func checkRoundTrip(_ data: Octets) {
  let boundary = Octets("x7-boundary-")
  guard !(Octets("\r\n") + data).holds(Octets("\r\n--") + boundary) else { return }
  let head = Octets("\r\nContent-Disposition: form-data; name=\"a\"; filename=f\r\n\r\n")
  let form = Octets("--") + boundary + head + data + Octets("\r\n--") + boundary + Octets("--")
  let part = Part(name: Octets("a"), fileName: Octets("f"), octets: data, isEnded: true)
  check(decodedForm(form, boundary, Draw(data)) == .complete([part]), "data comes back")
}

extension Array where Element == UInt8 {
  /// Whether `other` stands anywhere in the array.
  fileprivate func holds(_ other: Octets) -> Bool {
    guard count >= other.count else { return false }
    return (0...count - other.count).contains { self[$0] == other[0] && self[$0...].starts(with: other) }
  }
}
