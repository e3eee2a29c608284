use std::pin::Pin;

use tokio::time::sleep;

use super::*;

type Reading = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A node that is read by a script.
struct Fake {
    read: Box<dyn Fn(Told, Pulse) -> Reading + Send + Sync>,
    pulse: Pulse,
    /// What is known of it, which may be in use.
    known: Arc<tokio::sync::Mutex<Vec<u32>>>,
}

/// Where a script tells: numbers, in order or not.
type Told = mpsc::Sender<(Vec<u32>, bool)>;

impl Reader for Fake {
    type Find = u32;
    type End = ();

    async fn read(&self, ear: &Ear<Self>) -> Result<()> {
        let (sender, mut told) = mpsc::channel(1);
        let reading = tokio::spawn((self.read)(sender, self.pulse.clone()));
        while let Some((finds, is_ordered)) = told.recv().await {
            if is_ordered { ear.tell(finds).await } else { ear.tell_some(finds).await }
        }
        match reading.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            ended => ended.unwrap(),
        }
    }

    async fn known(&self) -> Vec<u32> {
        self.known.lock().await.clone()
    }

    fn answered(&self) -> Option<Instant> {
        self.pulse.last()
    }
}

fn fake<F: Future<Output = Result<()>> + Send + 'static>(
    read: impl Fn(Told, Pulse) -> F + Send + Sync + 'static,
) -> Fake {
    let read = move |told, pulse| -> Reading { Box::pin(read(told, pulse)) };
    Fake { read: Box::new(read), pulse: Pulse::default(), known: Arc::default() }
}

/// Finds after so many seconds each, of these numbers.
fn finds(after: &'static [(u64, u32)]) -> Fake {
    fake(move |told, _| async move {
        for (after, number) in after {
            sleep(Duration::from_secs(*after)).await;
            told.send((vec![*number], true)).await.unwrap();
        }
        Ok(())
    })
}

fn floods(from: u32, is_ordered: bool) -> Fake {
    fake(move |told, _| async move {
        told.send(((from..from + 10_000).collect(), is_ordered)).await.unwrap();
        Ok(())
    })
}

fn hangs() -> Fake {
    fake(|told, _| async move {
        let _told = told;
        std::future::pending().await
    })
}

fn fails() -> Fake {
    fake(|_, _| async { Err(Error::new(ErrorKind::Unreachable, "nobody")) })
}

/// What was told when, in seconds, and what came of each node: `Some(true)` for an end as it should be.
async fn gathered<const COUNT: usize>(
    readers: [Fake; COUNT],
    seconds: u64,
) -> (Vec<(u64, u32)>, [Option<bool>; COUNT], u64) {
    let (start, mut told) = (Instant::now(), Vec::new());
    let tell = |find| {
        told.push((start.elapsed().as_secs(), find));
        async { Ok(()) }
    };
    let gathered = gather(readers, start + Duration::from_secs(seconds), tell).await.unwrap();
    let ended: Vec<_> = gathered.ended.iter().map(|ended| ended.as_ref().map(Result::is_ok)).collect();
    assert_eq!(gathered.told, told.len());
    (told, ended.try_into().unwrap(), start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn what_nodes_have_is_told_as_it_comes_and_each_find_once() {
    let readers = [finds(&[(1, 1), (2, 2)]), finds(&[(2, 1), (0, 3)]), fails()];
    let (told, ended, seconds) = gathered(readers, 30).await;
    assert_eq!((told, seconds), (vec![(1, 1), (2, 3), (3, 2)], 3));
    assert_eq!(ended, [Some(true), Some(true), Some(false)]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_hides_nothing_and_is_not_waited_for() {
    let (told, ended, seconds) = gathered([hangs(), finds(&[(1, 1)])], 30).await;
    assert_eq!((told, ended, seconds), (vec![(1, 1)], [None, Some(true)], 4));
    // Longer where there is more time.
    let (told, _, seconds) = gathered([finds(&[(1, 1)]), finds(&[(9, 2)])], 100).await;
    assert_eq!((told, seconds), (vec![(1, 1), (9, 2)], 9));
    // To the end where the other one has nothing, or is not read to its end.
    let (told, ended, seconds) = gathered([finds(&[(20, 1)]), finds(&[])], 30).await;
    assert_eq!((told, ended, seconds), (vec![(20, 1)], [Some(true); 2], 20));
    let (told, ended, seconds) = gathered([hangs(), finds(&[(1, 1), (100, 2)])], 30).await;
    assert_eq!((told, ended, seconds), (vec![(1, 1)], [None, None], 29));
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_on_answering_is_waited_for() {
    let answers = fake(|told, pulse| async move {
        for _ in 0..10 {
            sleep(Duration::from_secs(2)).await;
            pulse.beat();
        }
        let _ = told.send((vec![9], true)).await;
        Ok(())
    });
    let (told, ended, _) = gathered([finds(&[(0, 1)]), answers], 30).await;
    assert_eq!((told, ended), (vec![(0, 1), (20, 9)], [Some(true); 2]));
}

#[tokio::test(start_paused = true)]
async fn a_flood_does_not_crowd_out_a_slow_node() {
    let (told, ..) = gathered([floods(0, true), finds(&[(2, 20_001), (2, 20_002)])], 30).await;
    assert_eq!((told.len(), &told[MOST / 2..]), (MOST / 2 + 2, &[(2, 20_001), (4, 20_002)][..]));
    // What comes in no order leaves room for what does.
    let both = fake(|told, _| async move {
        told.send(((0..10_000).collect(), false)).await.unwrap();
        told.send(((20_000..30_000).collect(), true)).await.unwrap();
        Ok(())
    });
    let (told, ..) = gathered([both], 30).await;
    assert_eq!((told.len(), told[MOST / 2].1), (MOST, 20_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_unfinished_nodes_is_told_and_one_in_use_keeps_nothing_back() {
    let [locked, free] = [hangs(), hangs()];
    let _held = Arc::clone(&locked.known).lock_owned().await;
    *free.known.lock().await = vec![7];
    let (told, ended, seconds) = gathered([locked, free, finds(&[(1, 1)])], 30).await;
    assert_eq!((told, ended, seconds), (vec![(1, 1), (4, 7)], [None, None, Some(true)], 4));
}

#[tokio::test]
async fn a_reader_that_panics_is_a_failure() {
    let panics = fake(|_, _| async { panic!("a fault of ours") });
    let (_, ended, _) = gathered([panics, finds(&[(0, 1)])], 30).await;
    assert_eq!(ended, [Some(false), Some(true)]);
}
