//! Titles and names.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::normalise::compared;

/// Distinct words of titles.
const WORDS: usize = 40_000;
/// Songs of one artist in the mean.
const SONGS_OF_ARTIST: usize = 20;
/// Syllables of a script with its share, in a hundred songs.
const SCRIPTS: [(&str, u32); 5] = [
    (
        "ba be bo ca co da de do fa fi ga go ha he in ja ka la le lo ma me mi na ne no on or pa pe ra re ri ro sa se so sta ta te ti to \
      tra un va ve vi wa we wi ya zé né ção ñu ö ü å",
        80,
    ),
    ("क का कि की कु के को ग गा चा जा ट ता ति दि दा ना नी पा पि प्र बा भा मा मे या रा री ला लि वा शा सा सि हो है", 8),
    ("ба ва го да до ёл жи за зи ка ко ла ле ли лю ма ми мо на не но по ра ре ро са се сто та ти то хо ша я", 5),
    ("அ இ க கா கு சி தா தி து நா நி பா பு மா மி மு யா ரா ரு லை வா வி ன் ல் ம்", 4),
    ("ア イ ウ カ キ ク サ シ ス タ チ ト ナ ニ ハ ヒ フ マ ミ モ ヤ ラ リ ル ン", 3),
];

/// A song as its makers wrote it.
pub(super) struct Song {
    pub title: String,
    pub artist: String,
    pub album: String,
}

/// Where titles and names come from.
pub(super) struct Source {
    pub random: fastrand::Rng,
    /// The words of each script.
    words: Vec<Vec<String>>,
    artists: Vec<(String, usize)>,
    titles: Vec<Vec<String>>,
    /// Compared forms of what was made: no song is made twice.
    seen: HashSet<String>,
}

impl Source {
    pub(super) fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let scripts = SCRIPTS.len();
        let mut source = Self {
            random,
            words: Vec::new(),
            artists: Vec::new(),
            titles: vec![Vec::new(); scripts],
            seen: HashSet::new(),
        };
        for (syllables, share) in SCRIPTS {
            let syllables: Vec<&str> = syllables.split_whitespace().collect();
            let count = WORDS * usize::try_from(share).unwrap_or(1) / 100;
            let words = (0..count).map(|_| source.word(&syllables)).collect();
            source.words.push(words);
        }
        source
    }

    pub(super) fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid()
    }

    fn word(&mut self, syllables: &[&str]) -> String {
        let length = self.random.usize(1..=4);
        (0..length).map(|_| self.random.choice(syllables).copied().unwrap_or_default()).collect()
    }

    /// A number below `limit`; small ones are frequent, the more so the larger `skew` is.
    pub(super) fn skewed(&mut self, limit: usize, skew: u32) -> usize {
        (0..=skew).map(|_| self.random.usize(0..limit.max(1))).min().unwrap_or(0)
    }

    fn phrase(&mut self, script: usize, most: usize) -> String {
        let length = self.random.usize(1..=most);
        let count = self.words.get(script).map_or(0, Vec::len);
        let words: Vec<String> = (0..length)
            .map(|_| {
                let place = self.skewed(count, 2);
                capitalised(self.words.get(script).and_then(|words| words.get(place)).map_or("", String::as_str))
            })
            .collect();
        words.join(" ")
    }

    fn artist(&mut self) -> (String, usize) {
        let known = self.artists.len();
        if known > 0 && self.random.usize(0..SONGS_OF_ARTIST) > 0 {
            let place = self.skewed(known, 1);
            return self.artists.get(place).cloned().unwrap_or_default();
        }
        let mut roll = self.random.u32(0..100);
        let mut script = 0;
        for (place, (_, share)) in SCRIPTS.iter().enumerate() {
            script = place;
            if roll < *share {
                break;
            }
            roll -= share;
        }
        let name = self.phrase(script, 3);
        let artist = if script == 0 && self.random.u8(0..6) == 0 { format!("The {name}") } else { name };
        self.artists.push((artist.clone(), script));
        (artist, script)
    }

    pub(super) fn song(&mut self) -> Song {
        let (artist, script) = self.artist();
        let used = self.titles.get(script).map_or(0, Vec::len);
        let title = if used > 0 && self.random.u8(0..20) == 0 {
            let place = self.skewed(used, 1);
            self.titles.get(script).and_then(|titles| titles.get(place)).cloned().unwrap_or_default()
        } else {
            let new = self.phrase(script, 5);
            if let Some(titles) = self.titles.get_mut(script) {
                titles.push(new.clone());
            }
            new
        };
        let mut album = if self.random.u8(0..3) == 0 { self.phrase(script, 3) } else { String::new() };
        let mut volume = 1;
        let (title_form, artist_form) = (compared(&title), compared(&artist));
        while !self.seen.insert([title_form.as_str(), &artist_form, &compared(&album)].join("|")) {
            volume += 1;
            album = format!("Volume {volume}");
        }
        Song { title, artist, album }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
