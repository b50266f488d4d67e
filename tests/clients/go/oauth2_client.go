// Command oauth2_client: golang.org/x/oauth2 logs a user in, as a confidential client. Usage: oauth2_client ISSUER
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: oauth2_client ISSUER")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(issuer string) error {
	ctx := context.Background()
	// It knows no metadata: whoever uses it writes the endpoints down.
	config := &oauth2.Config{
		ClientID:     "TestClient",
		ClientSecret: "TestSecret",
		Endpoint:     oauth2.Endpoint{TokenURL: issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
		Scopes:       []string{"openid", "email"},
	}
	first, err := config.PasswordCredentialsToken(ctx, "bshaffer", "brent123")
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	fmt.Println("log in: a pair, by password")

	rotated, err := refreshed(ctx, config, first)
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	if rotated.RefreshToken == first.RefreshToken {
		return errors.New("the refresh token was not rotated")
	}
	fmt.Println("refresh: a new pair")

	// Its HTTP client attaches the access token.
	userinfo, err := config.Client(ctx, rotated).Get(issuer + "/userinfo")
	if err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	body, err := io.ReadAll(userinfo.Body)
	if err != nil || userinfo.StatusCode != http.StatusOK || !strings.Contains(string(body), `"sub"`) {
		return fmt.Errorf("userinfo: %s, %s, %v", userinfo.Status, body, err)
	}
	fmt.Println("userinfo: a user")

	retried, err := refreshed(ctx, config, first)
	if err != nil {
		return fmt.Errorf("retry: %w", err)
	}
	if retried.RefreshToken != rotated.RefreshToken {
		return errors.New("the retry got another successor")
	}
	fmt.Println("retry: the same refresh token again has the same successor")

	// It has no revocation of its own.
	form := url.Values{"token": {rotated.RefreshToken}, "client_id": {"TestClient"}, "client_secret": {"TestSecret"}}
	revoked, err := http.PostForm(issuer+"/revoke", form)
	if err != nil || revoked.StatusCode != http.StatusOK {
		return fmt.Errorf("revoke: %v, %w", revoked, err)
	}
	var refused *oauth2.RetrieveError
	if _, err = refreshed(ctx, config, rotated); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		return fmt.Errorf("a refresh token that was revoked: %v", err)
	}
	fmt.Println("revoke: the session has ended")
	return nil
}

// refreshed is what a token source gives when the access token of token has ended.
func refreshed(ctx context.Context, config *oauth2.Config, token *oauth2.Token) (*oauth2.Token, error) {
	ended := &oauth2.Token{RefreshToken: token.RefreshToken, Expiry: time.Unix(1, 0)}
	return config.TokenSource(ctx, ended).Token()
}
