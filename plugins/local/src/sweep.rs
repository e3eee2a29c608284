//! Nobody looks again where a network lay before, so whoever announces tidies up behind those who are gone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::fs;

use crate::entry::Entry;
use crate::folder::read;

/// The most folders that one announcement looks into.
const MOST: usize = 64;
/// A file that was begun and not finished for so long belongs to a process that has died.
const DEAD: Duration = Duration::from_secs(600);

/// Removes what has expired, what was never finished, and folders that are empty.
pub(crate) async fn sweep(root: &Path) {
    // What cannot be removed does no harm: it is passed over by every reader.
    let Ok(mut folders) = fs::read_dir(root).await else { return };
    for _ in 0..MOST {
        let Ok(Some(folder)) = folders.next_entry().await else { return };
        if folder.file_type().await.is_ok_and(|kind| kind.is_dir()) {
            empty(&folder.path()).await;
            // Succeeds only when nothing is in it.
            let _ = fs::remove_dir(folder.path()).await;
        }
    }
}

async fn empty(folder: &Path) {
    let Ok(mut files) = fs::read_dir(folder).await else { return };
    while let Ok(Some(file)) = files.next_entry().await {
        let path = file.path();
        if is_unfinished(&path) {
            let age = file.metadata().await.ok().and_then(|about| about.modified().ok()?.elapsed().ok());
            if age.is_some_and(|age| age > DEAD) {
                let _ = fs::remove_file(&path).await;
            }
        } else if read(&path).await.is_some_and(|entry| entry.is_expired()) {
            discard(&path).await;
        }
    }
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Removes an entry that has expired; one that was renewed in this very moment stays.
pub(crate) async fn discard(path: &Path) {
    let aside = beside(path);
    if fs::rename(path, &aside).await.is_err() {
        return;
    }
    // No reader takes what is set aside for an entry, and a still newer one is not replaced.
    if read_aside(&aside).await {
        let _ = fs::hard_link(&aside, path).await;
    }
    let _ = fs::remove_file(&aside).await;
}

/// Whether what was set aside still counts.
async fn read_aside(aside: &Path) -> bool {
    let bytes = fs::read(aside).await.unwrap_or_default();
    Entry::of_bytes(&bytes).is_some_and(|entry| !entry.is_expired())
}

/// A name in the same folder that nobody else takes: hidden, and no entry's.
pub(crate) fn beside(path: &Path) -> PathBuf {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}.{turn}", std::process::id()))
}
