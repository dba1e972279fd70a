// Tokens for the tests: signed by hand, so that headers and payloads can be what nobody would sign.

import Foundation
import MartletBytes
import MartletToken
import TestSupport

let microdotSecret = "top-secret!"
let ownHeader = #"{"alg":"HS256","typ":"JWT"}"#

func base64URL(_ octets: [UInt8]) -> String {
  Data(octets).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    .replacing("=", with: "")
}

func base64URL(_ text: String) -> String { base64URL(Array(text.utf8)) }

func octets(base64URL text: String) -> [UInt8] {
  var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
  while base64.utf8.count % 4 != 0 { base64 += "=" }
  return Array(Data(base64Encoded: base64)!)
}

func authenticate(_ octets: [UInt8], key: [UInt8]) -> [UInt8] {
  [UInt8](HMACKey(key.span).authenticate(octets.span).span)
}

/// The token of a header and a payload that may be anything, rightly signed.
func token(_ payload: [UInt8], header: String = ownHeader, secret: String = microdotSecret)
  -> String
{
  token(parts: base64URL(header) + "." + base64URL(payload), secret: secret)
}

func token(_ payload: String, header: String = ownHeader, secret: String = microdotSecret)
  -> String
{
  token(Array(payload.utf8), header: header, secret: secret)
}

/// Encoded parts and their right signature.
func token(parts: String, secret: String = microdotSecret) -> String {
  parts + "." + base64URL(authenticate(Array(parts.utf8), key: Array(secret.utf8)))
}

/// What `JWS.verify` makes of a token laid against the end of memory.
func verify(
  _ token: [UInt8], key: [UInt8] = Array(microdotSecret.utf8), room: Int = 2_048
) -> Result<[UInt8], TokenRefusal> {
  withGuardedOctets(token) { octets in
    var payload = [UInt8](repeating: 0xA5, count: room)
    var target = payload.mutableSpan
    do throws(TokenRefusal) {
      let count = try JWS.verify(octets, with: HMACKey(key.span), payload: &target)
      return .success(Array(payload.prefix(count)))
    } catch {
      return .failure(error)
    }
  }
}

func verify(_ token: String, secret: String = microdotSecret) -> Result<[UInt8], TokenRefusal> {
  verify(Array(token.utf8), key: Array(secret.utf8))
}

func sign(_ payload: [UInt8], secret: String = microdotSecret, room: Int = 8_192) -> String? {
  var storage = [UInt8](repeating: 0, count: room)
  var writer = Writer(storage.mutableSpan)
  JWS.sign(payload.span, with: HMACKey(Array(secret.utf8).span), to: &writer)
  return writer.overflowed ? nil : String(writer.span)
}

/// Why claims do not hold at `now`, or `nil` when they do.
func refusal(_ payload: [UInt8], now: Int64 = 1_000) -> TokenRefusal? {
  withGuardedOctets(payload) { octets in
    do throws(TokenRefusal) {
      try ClaimsSet(octets).check(now: now)
      return nil
    } catch {
      return error
    }
  }
}

func refusal(_ payload: String, now: Int64 = 1_000) -> TokenRefusal? {
  refusal(Array(payload.utf8), now: now)
}

/// Why a token and its claims together are not a login, or `nil` when they are.
func tokenRefusal(_ token: String, now: Int64 = 1_000) -> TokenRefusal? {
  switch verify(token) {
  case .success(let payload): refusal(payload, now: now)
  case .failure(let refusal): refusal
  }
}
