use crate::StoreError;

/// What was read; nothing of a row that cannot be what it is. It is logged and left for somebody to look at, so that it is in
/// the way of nobody else: of whoever looks at many rows, or makes room among them.
///
/// # Errors
/// When the store failed.
pub fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(problem @ StoreError::Inconsistent { .. }) => {
            tracing::error!(%problem, "a row that cannot be read is passed over");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
