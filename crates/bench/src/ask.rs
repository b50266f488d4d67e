use crate::{Connection, Endpoint, Lost};

/// Posts some forms one after the other on one connection, as a client does that begins, and returns status and body of each
/// answer.
///
/// # Errors
/// [`Lost`], at the first that is not answered.
pub fn ask(endpoint: &Endpoint, forms: &[String]) -> Result<Vec<(u16, String)>, Lost> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(endpoint).await?;
        let (mut answers, mut request) = (Vec::with_capacity(forms.len()), Vec::new());
        for form in forms {
            if connection.is_spent() {
                connection = Connection::open(endpoint).await?;
            }
            endpoint.post(&[form], &mut request);
            let heard = connection
                .exchange(&request, |answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()));
            answers.push(heard.await?);
        }
        Ok(answers)
    })
}
