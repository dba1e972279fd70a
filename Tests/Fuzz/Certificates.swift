// Certificates and private keys, as an administrator uploads them or a file has them: text in PEM or octets in DER.

import MartletBytes
import MartletTLS

@Sendable func fuzzCertificates(_ input: Span<UInt8>) {
  let octets = expanded(input)
  checkCertificate(octets)
  checkChain(octets)
  checkKey(octets)
}

/// What `body` returns for a copy whose memory ends where the octets end, and what is then in the copy.
private func changed<R>(_ octets: Octets, _ body: (inout MutableSpan<UInt8>) -> R) -> (R, Octets) {
  let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octets.count)
  _ = copy.initialize(from: octets)
  defer { copy.deallocate() }
  var memory = copy.mutableSpan
  let result = body(&memory)
  return (result, Octets(copy))
}

/// The octets of a certificate, or `nil`. Its parts are within it.
private func size(_ octets: Octets, from start: Int = 0) -> Int? {
  withExactCopy(octets) { span in
    guard let certificate = Certificate(span, start..<span.count) else { return nil }
    let whole = certificate.whole
    check(
      whole.lowerBound == start && whole.count > 0 && whole.upperBound <= span.count, "it is in its range")
    for part in [
      certificate.issuer, certificate.subject, certificate.point, certificate.names, certificate.permitted,
      certificate.subjectKeyIdentifier, certificate.authorityKeyIdentifier,
    ] where !part.isEmpty {
      check(
        part.lowerBound > start && part.upperBound <= whole.upperBound, "a part is within the certificate")
    }
    check(certificate.point.isEmpty || certificate.point.count == 65, "a point has 65 octets")
    return whole.count
  }
}

/// The input as DER.
private func checkCertificate(_ octets: Octets) {
  guard let count = size(octets) else { return }
  check(size(Octets(octets[0..<count])) == count, "what follows a certificate changes nothing")
  check(size(Octets(octets[0..<count - 1])) == nil, "a certificate without its end is none")
}

/// The input as a text: what is decoded are certificates, and they come back from a text of them alone.
private func checkChain(_ octets: Octets) {
  let (count, memory) = decoded(octets)
  guard let count else { return }
  check(
    count > 0 && count <= octets.count && count <= CertificateLimits.chainSizeMax,
    "a chain is within its limit")
  let chain = Octets(memory[0..<count])
  var text = Octets()
  var position = 0
  while position < count {
    guard let size = size(chain, from: position) else { return check(false, "a chain has certificates only") }
    let certificate = Octets(chain[position..<position + size])
    text += written(capacity: 32_768) { PEM.write("CERTIFICATE", certificate.span, to: &$0) } ?? []
    position += size
  }
  let (again, octetsAgain) = decoded(text)
  check(again == count && Octets(octetsAgain[0..<count]) == chain, "certificates come back")
}

private func decoded(_ text: Octets) -> (Int?, Octets) {
  changed(text) { try? CertificateChain.decode(&$0, text.count) }
}

/// The input as a text with a private key.
private func checkKey(_ octets: Octets) {
  let (key, memory) = changed(octets) { try? PrivateKey.find(&$0, octets.count) }
  guard let key else { return }
  check(key.range.upperBound <= memory.count && !key.range.isEmpty, "a key is within the text")
  guard key.isP256 else { return }
  var whole = Octets(repeating: 0xA5, count: 32)
  var target = whole.mutableSpan
  let count = try? key.copy(memory.span, to: &target)
  check(count == 32, "a key for P-256 has 32 octets")
  check(Octets(whole.suffix(key.range.count)) == Octets(memory[key.range]), "they are the text's")
  check(whole.prefix(32 - key.range.count).allSatisfy { $0 == 0 }, "and zeros before them")
}
