//! What is fetched: a Pokémon-shaped JSON document.

use serde::{Deserialize, Deserializer};

/// The part of a document that the job reads; every other field is skipped.
///
/// The shape is that of the Pokémon API's `/api/v2/pokemon/{id}`, so that a real document parses
/// as it is. `moves` keeps the names alone: in a real document most of the bytes lie below a move
/// and are not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Document {
    /// Its number, unique in a corpus.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Weight in hectograms.
    pub weight: i64,
    /// Height in decimetres.
    pub height: i64,
    /// Experience for defeating it; null or missing in some real documents.
    #[serde(default)]
    pub base_experience: Option<i64>,
    /// The names of its types, in slot order: one or two.
    #[serde(deserialize_with = "type_names")]
    pub types: Vec<String>,
    /// Its base statistics, without their names.
    #[serde(deserialize_with = "base_stats")]
    pub stats: Vec<i64>,
    /// The names of its moves.
    #[serde(deserialize_with = "move_names")]
    pub moves: Vec<String>,
}

impl Document {
    /// Parses one body.
    ///
    /// # Errors
    ///
    /// The body is not JSON, or it lacks a field that the job needs; the message says which and
    /// where.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

// The three lists nest their one useful value two levels down. Naming that shape here keeps
// `Document` flat for its readers.

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct TypeSlot {
    r#type: Named,
}

#[derive(Deserialize)]
struct StatSlot {
    base_stat: i64,
}

#[derive(Deserialize)]
struct MoveSlot {
    r#move: Named,
}

fn type_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let slots = Vec::<TypeSlot>::deserialize(deserializer)?;
    Ok(slots.into_iter().map(|slot| slot.r#type.name).collect())
}

fn base_stats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let slots = Vec::<StatSlot>::deserialize(deserializer)?;
    Ok(slots.into_iter().map(|slot| slot.base_stat).collect())
}

fn move_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let slots = Vec::<MoveSlot>::deserialize(deserializer)?;
    Ok(slots.into_iter().map(|slot| slot.r#move.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIKACHU: &str = r#"{
        "abilities": [{"ability": {"name": "static"}, "slot": 1}],
        "base_experience": 112, "height": 4, "id": 25, "is_default": true,
        "moves": [{"move": {"name": "mega-punch", "url": "/api/v2/move/5/"},
                   "version_group_details": [{"level_learned_at": 0}]}],
        "name": "pikachu",
        "stats": [{"base_stat": 35, "effort": 0, "stat": {"name": "hp"}},
                  {"base_stat": 90, "effort": 2, "stat": {"name": "speed"}}],
        "types": [{"slot": 1, "type": {"name": "electric", "url": "/api/v2/type/13/"}}],
        "weight": 60
    }"#;

    #[test]
    fn a_real_shape_parses() {
        let document = Document::parse(PIKACHU.as_bytes()).unwrap();
        assert_eq!(document.id, 25);
        assert_eq!(document.base_experience, Some(112));
        assert_eq!(document.types, ["electric"]);
        assert_eq!(document.stats, [35, 90]);
        assert_eq!(document.moves, ["mega-punch"]);
    }

    #[test]
    fn base_experience_may_be_null_or_missing() {
        let null = PIKACHU.replace("112", "null");
        assert_eq!(Document::parse(null.as_bytes()).unwrap().base_experience, None);
        let missing = PIKACHU.replace("\"base_experience\": 112,", "");
        assert_eq!(Document::parse(missing.as_bytes()).unwrap().base_experience, None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let no_weight = PIKACHU.replace("\"weight\"", "\"wait\"");
        let message = Document::parse(no_weight.as_bytes()).unwrap_err().to_string();
        assert!(message.contains("weight"), "{message}");
        assert!(Document::parse(b"<html>").is_err());
    }
}
