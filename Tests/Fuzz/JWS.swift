// Tokens: what a key has signed and nothing else, each in one text and no other.

import MartletBytes
import MartletToken

nonisolated(unsafe) private let key = HMACKey(("top-secret!" as StaticString).octets)

@Sendable func fuzzJWS(_ input: Span<UInt8>) {
  let octets = Octets(input)
  checkToken(octets)
  checkSigned(octets)
  checkHeader(octets)
  checkBase64URL(octets)
}

/// - Parameter room: Octets of room for the payload; enough for any unless told.
private func verify(_ token: Octets, room: Int? = nil) -> Result<Octets, TokenRefusal> {
  withExactCopy(token) { span in
    let room = room ?? token.count
    let payload = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: room)
    defer { payload.deallocate() }
    payload.initialize(repeating: 0xA5)
    var target = payload.mutableSpan
    do throws(TokenRefusal) {
      let count = try JWS.verify(span, with: key, payload: &target)
      return .success(Octets(payload.prefix(count)))
    } catch {
      if error != .payloadEncoding {
        check(payload.allSatisfy { $0 == 0xA5 }, "nothing is decoded before the MAC was right")
      }
      return .failure(error)
    }
  }
}

private func base64URL(_ octets: Octets) -> Octets {
  written(capacity: Base64URL.encodedCount(octets.count)) { Base64URL.encode(octets.span, to: &$0) }!
}

private func signed(_ signingInput: Octets) -> Octets {
  signingInput + Octets(".")
    + base64URL(Octets(key.authenticate(signingInput.span).span))
}

/// The input as a token: when it is accepted, it is the one text of its header and payload.
private func checkToken(_ token: Octets) {
  guard case .success(let payload) = verify(token) else { return }
  check(token.count <= Limits.tokenSizeMax, "a token is within its limit")
  let parts = token.split(separator: 0x2E, omittingEmptySubsequences: false)
  check(parts.count == 3, "a token has three parts")
  check(Octets(parts[1]) == base64URL(payload), "a payload has one text")
  check(token == signed(Octets(parts[0]) + Octets(".") + Octets(parts[1])), "a MAC has one text")
  checkChanged(token)
}

/// The input as a payload: it comes back whole, and only into enough room.
private func checkSigned(_ payload: Octets) {
  let token = written { JWS.sign(payload.span, with: key, to: &$0) }
  guard let token else {
    let size = JWS.tokenSize(payloadCount: payload.count)
    return check(size > Limits.tokenSizeMax, "a token within its limit is signed")
  }
  check(token.count == JWS.tokenSize(payloadCount: payload.count), "its size is known")
  check(verify(token) == .success(payload), "a payload comes back")
  check(verify(token, room: payload.count) == .success(payload), "into just enough room")
  if !payload.isEmpty {
    check(verify(token, room: payload.count - 1) == .failure(.tooLarge), "and into no less")
  }
  checkChanged(token)
  // Its claims hold or do not hold; no octets are too strange to tell.
  _ = try? ClaimsSet(payload.span).check(now: 1_800_000_000)
}

/// No token with any octet changed, added or missing is accepted.
private func checkChanged(_ token: Octets) {
  var draw = Draw(token)
  for _ in 0..<4 {
    var changed = token
    let position = draw.below(token.count)
    switch draw.below(4) {
    case 0: changed.insert(UInt8(draw.below(256)), at: position)
    case 1: changed.remove(at: position)
    default: changed[position] ^= UInt8(1 + draw.below(255))
    }
    // To add an octet that stands there already, at the end of a run of it, changes the length.
    check(changed != token, "it is another text")
    if case .success = verify(changed) { check(false, "no changed token is accepted") }
  }
}

/// The input as a header, rightly signed: accepted when it says HS256 and asks for nothing else.
private func checkHeader(_ header: Octets) {
  let token = signed(base64URL(header) + Octets(".") + base64URL(Octets("{}")))
  switch verify(token) {
  case .success(let payload):
    check(payload == Octets("{}"), "the payload is the payload")
    guard let object = JSONObject(header.span) else { return check(false, "a header is an object") }
    guard let algorithm = object.find("alg") else { return check(false, "there is an algorithm") }
    check(
      algorithm.kind == .string
        && JSON.string(header.span[algorithm.range], equals: "HS256"), "it is HS256")
    check(object.find("crit") == nil, "nothing critical is passed over")
  case .failure(.headerEncoding): check(header.count > 512, "a small header is decoded")
  case .failure(.headerNotObject): check(JSONObject(header.span) == nil, "an object is an object")
  case .failure(.algorithm):
    guard let algorithm = JSONObject(header.span)?.find("alg") else { return }
    check(
      algorithm.kind != .string
        || !JSON.string(header.span[algorithm.range], equals: "HS256"), "HS256 is accepted")
  case .failure(.critical):
    check(JSONObject(header.span)?.find("crit") != nil, "only what is there is refused")
  case .failure(.tooLarge): check(token.count > Limits.tokenSizeMax, "a small token fits")
  case .failure: check(false, "a right signature is right")
  }
}

/// base64url has one text for each octets, and the other way round.
private func checkBase64URL(_ octets: Octets) {
  func decoded(_ text: Octets) -> Octets? {
    let target = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
    defer { target.deallocate() }
    target.initialize(repeating: 0xA5)
    var span = target.mutableSpan
    return Base64URL.decode(text.span, into: &span).map { Octets(target.prefix($0)) }
  }
  check(decoded(base64URL(octets)) == octets, "octets come back")
  if let plain = decoded(octets) { check(base64URL(plain) == octets, "there is one text") }
}
