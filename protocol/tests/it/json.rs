use agent_gateway_protocol::{JsonError, Object, RawJson};

#[test]
fn raw_json_is_one_whole_value() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5e-3",
        "\"\"",
        "[]",
        "{}",
        "[1,[2,{\"a\":[]}],3]",
        "\"\\ud800\"",
    ] {
        assert_eq!(RawJson::parse(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        " ",
        "nul",
        "truex",
        "01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "NaN",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[}",
        "{]",
        "[1}",
        "1 2",
        "\u{feff}1",
        "\"\t\"",
        "'a'",
        "/**/1",
        "\u{a0}1",
    ] {
        assert!(RawJson::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(RawJson::parse("  [1]\n").unwrap().as_str(), "[1]");
    let JsonError { at, .. } = RawJson::parse("[1,x]").unwrap_err();
    assert_eq!(at, 3);
}

#[test]
fn raw_json_is_stored_as_a_text_inside_anything() {
    let raw = RawJson::parse(r#"{"a":"\ud800","b":1e999}"#).unwrap();
    let stored = serde_json::to_string(&raw).unwrap();
    assert!(stored.starts_with('"'));
    assert_eq!(serde_json::from_str::<RawJson>(&stored).unwrap(), raw);
    assert!(serde_json::from_str::<RawJson>("\"{\"").is_err());
}

#[test]
fn raw_json_shows_no_more_than_a_screenful() {
    let raw = RawJson::from_text(&"ü".repeat(1_000));
    let shown = format!("{raw:?}");
    assert!(shown.len() < 230, "{}", shown.len());
    assert!(shown.ends_with("… (2002 bytes)"));
}

#[test]
fn raw_json_and_serde_agree() {
    let raw = RawJson::from_serialize(&vec![("a", 1)]).unwrap();
    assert_eq!(raw.as_str(), "[[\"a\",1]]");
    assert_eq!(
        raw.decode::<Vec<(String, u8)>>().unwrap(),
        [("a".to_owned(), 1)]
    );
    assert!(raw.decode::<String>().is_err());
}

#[test]
fn texts_are_unescaped_as_javascript_does() {
    let read = |text| RawJson::parse(text).unwrap().read::<String>().unwrap();
    assert_eq!(
        read(r#""a\"\\\/\b\f\n\r\té\ud83d\ude00""#),
        "a\"\\/\u{8}\u{c}\n\r\té😀"
    );
    assert_eq!(read(r#""\ud83d""#), "\u{fffd}");
    assert_eq!(
        read(r#""\ud83dx\ude00\ud83d\ud83d\ude00""#),
        "\u{fffd}x\u{fffd}\u{fffd}😀"
    );
    let controls: String = (0_u8..0x80).map(char::from).collect();
    assert_eq!(
        RawJson::from_text(&controls).read::<String>().unwrap(),
        controls
    );
}

/// Wherever it stands in the blocks in which a text is looked at, and however the text ends.
#[test]
fn what_is_special_in_a_string_is_seen_at_every_place() {
    for length in [1, 63, 64, 65, 128, 200] {
        for place in 0..length {
            for special in ['"', '\\', '\n', '\u{0}', '\u{1f}'] {
                let mut text = "a".repeat(length);
                text.replace_range(place..=place, &special.to_string());
                let json = serde_json::to_string(&text).unwrap();
                assert_eq!(RawJson::from_text(&text).as_str(), json);
                let read = RawJson::parse(&*json).unwrap();
                assert_eq!(read.read::<String>().as_ref(), Some(&text));
                let raw = format!("\"{text}\"");
                assert!(
                    RawJson::parse(raw).is_err(),
                    "{special:?} at {place} of {length}"
                );
            }
        }
    }
}

#[test]
fn whole_numbers_are_read_however_they_are_written() {
    let read = |text| RawJson::parse(text).unwrap().read::<i64>();
    assert_eq!(read("3.0"), Some(3));
    assert_eq!(read("-2e2"), Some(-200));
    assert_eq!(read("9223372036854775807"), Some(i64::MAX));
    for text in ["3.5", "1e999", "1e300", "\"3\"", "null", "[3]"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(RawJson::parse("-1").unwrap().read::<u32>(), None);
    assert_eq!(RawJson::parse("4294967296").unwrap().read::<u32>(), None);
}

#[test]
fn an_object_keeps_order_and_the_last_of_a_key() {
    let raw = RawJson::parse(r#"{"b":1,"a":{"x":null},"b":2,"\u0061":3}"#).unwrap();
    let object = Object::parse(&raw).unwrap();
    let members: Vec<_> = object
        .iter()
        .map(|(key, value)| (key, value.as_str()))
        .collect();
    assert_eq!(members, [("b", "2"), ("a", "3")]);
    assert_eq!(Object::parse(&RawJson::null()), None);
}

#[test]
fn taking_removes_only_what_can_be_read() {
    let raw = RawJson::parse(r#"{"text":"a","null":null,"number":1}"#).unwrap();
    let mut object = Object::parse(&raw).unwrap();
    assert_eq!(object.take::<String>("number"), None);
    assert_eq!(object.take::<RawJson>("null"), None);
    assert_eq!(object.take::<String>("absent"), None);
    assert_eq!(object.take::<String>("text").as_deref(), Some("a"));
    let left: Vec<_> = object.iter().map(|(key, _)| key).collect();
    assert_eq!(left, ["null", "number"]);
    let stored = serde_json::to_string(&object).unwrap();
    assert_eq!(serde_json::from_str::<Object>(&stored).unwrap(), object);
}
