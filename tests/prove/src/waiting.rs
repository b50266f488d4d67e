//! Waiting for what comes in its time, or does not.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// How long is looked, at least, whether something is so.
const LOOKED_SECONDS: u64 = 30;

/// How often.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until something is so; `false` when it takes too long.
pub(crate) async fn becomes_so(is_so: impl Fn() -> bool) -> bool {
    comes_to_be(async || is_so()).await
}

/// The same of what has to be asked for.
pub(crate) async fn comes_to_be(is_so: impl AsyncFn() -> bool) -> bool {
    let looks = LOOKED_SECONDS * 1000 / LOOK.as_millis() as u64;
    for _ in 0..looks {
        if is_so().await {
            return true;
        }
        sleep(LOOK).await;
    }
    false
}

/// Asks, and after an answer that decides nothing again a pause later; `None` when nothing is decided within this time.
pub(crate) async fn until_decided<T, Answer: Future<Output = Option<T>>>(
    pause: Duration,
    within: Duration,
    ask: impl Fn() -> Answer,
) -> Option<T> {
    let decided = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(pause).await;
        }
    };
    timeout(within, decided).await.ok()
}
