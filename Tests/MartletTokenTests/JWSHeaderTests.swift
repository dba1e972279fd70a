import MartletToken
import TestSupport
import Testing

@Suite struct JWSHeaderTests {
  @Test(
    "A header that is not what we know is refused",
    arguments: [
      ("", TokenRefusal.headerNotObject), ("{", .headerNotObject), ("null", .headerNotObject),
      ("[]", .headerNotObject), (#""HS256""#, .headerNotObject), ("{}", .algorithm),
      (#"[{"alg":"HS256"}]"#, .headerNotObject), (#"{"alg":"HS256"} x"#, .headerNotObject),
      (#"{"alg":"HS256",}"#, .headerNotObject), (#"{'alg':'HS256'}"#, .headerNotObject),
      ("\u{FEFF}" + ownHeader, .headerNotObject), (#"{"alg":"HS256"}{}"#, .headerNotObject),
      (#"{"typ":"JWT"}"#, .algorithm), (#"{"alg":"none"}"#, .algorithm),
      (#"{"alg":"None"}"#, .algorithm), (#"{"alg":""}"#, .algorithm),
      (#"{"alg":"hs256"}"#, .algorithm), (#"{"alg":"HS256 "}"#, .algorithm),
      (#"{"alg":"HS512"}"#, .algorithm), (#"{"alg":"HS384"}"#, .algorithm),
      (#"{"alg":"RS256"}"#, .algorithm), (#"{"alg":"HS2560"}"#, .algorithm),
      (#"{"alg":"HS25"}"#, .algorithm), (#"{"alg":"HS256\u0000"}"#, .algorithm),
      (#"{"alg":["HS256"]}"#, .algorithm), (#"{"alg":{"HS256":1}}"#, .algorithm),
      (#"{"alg":null}"#, .algorithm), (#"{"alg":256}"#, .algorithm), (#"{"alg":true}"#, .algorithm),
      (#"{"ALG":"HS256"}"#, .algorithm), (#"{"alg ":"HS256"}"#, .algorithm),
      (#"{"x":{"alg":"HS256"}}"#, .algorithm),
      (#"{"alg":"HS256","alg":"none"}"#, .algorithm),
      (#"{"alg":"HS256","crit":["exp"]}"#, .critical), (#"{"alg":"HS256","crit":[]}"#, .critical),
      (#"{"crit":null,"alg":"HS256"}"#, .critical), (#"{"alg":"HS256","crit":"b64"}"#, .critical),
      (#"{"alg":"HS256","\u0063rit":["b64"],"b64":false}"#, .critical),
    ])
  func headers(_ header: String, _ refusal: TokenRefusal) {
    #expect(verify(token("{}", header: header)) == .failure(refusal))
  }

  @Test(
    "A header that says HS256 in any way JSON allows is accepted",
    arguments: [
      #"{"alg":"HS256"}"#, #" { "alg" : "HS256" } "#, "{\r\n\t\"alg\":\"HS256\"}",
      #"{"typ":"JWT","alg":"HS256"}"#, #"{"alg":"HS256","typ":"at+jwt"}"#,
      #"{"alg":"HS256","typ":null}"#, #"{"alg":"HS256","typ":["x",{"crit":1}]}"#,
      #"{"\u0061lg":"\u0048S256"}"#, #"{"alg":"none","alg":"HS256"}"#,
      #"{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"}"#,
      #"{"alg":"HS256","b64":false}"#, #"{"alg":"HS256","x":{"crit":["a"]}}"#,
    ])
  func foreignHeaders(_ header: String) {
    #expect(verify(token("{}", header: header)) == .success(Array("{}".utf8)))
  }

  @Test("A header of 512 octets is read, a longer one is not")
  func headerSizes() {
    let frame = #"{"alg":"HS256","kid":""}"#
    for (count, isRead) in [(512, true), (513, false), (1_024, false)] {
      let filling = String(repeating: "k", count: count - frame.utf8.count)
      let header = frame.replacing(#"d":"""#, with: #"d":"\#(filling)""#)
      let result = verify(token("{}", header: header))
      #expect(result == (isRead ? .success(Array("{}".utf8)) : .failure(.headerEncoding)))
    }
  }
}
