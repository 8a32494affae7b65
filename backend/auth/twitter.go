package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/identity"
)

// twitter is Twitter's OAuth 1.0a (RFC 5849), which the clients of App Service
// know: their tokens come with a secret, and only our consumer key makes a valid
// signature with them, so a token of another app does not work here.
type twitter struct {
	providerBase
	request, authorize, access, verify string
}

func newTwitter(b providerBase) *twitter {
	e := b.config.Endpoints
	return &twitter{providerBase: b,
		request:   first(e.Request, "https://api.twitter.com/oauth/request_token"),
		authorize: first(e.Authorization, "https://api.twitter.com/oauth/authenticate"),
		access:    first(e.Token, "https://api.twitter.com/oauth/access_token"),
		verify: first(e.UserInfo,
			"https://api.twitter.com/1.1/account/verify_credentials.json?include_email=true&skip_status=true"),
	}
}

// start asks for a request token. OAuth 1.0a has neither state nor PKCE: the
// state travels in the callback's query, and the token's secret takes the
// verifier's part.
func (p *twitter) start(ctx context.Context, a *attempt) (string, error) {
	callback := a.Callback + "?state=" + url.QueryEscape(a.State)
	answer, err := p.form(ctx, p.request, map[string]string{"oauth_callback": callback}, "")
	if err != nil {
		return "", err
	}
	token, secret := answer.Get("oauth_token"), answer.Get("oauth_token_secret")
	if token == "" || secret == "" || answer.Get("oauth_callback_confirmed") != "true" {
		return "", &errProvider{err: fmt.Errorf("it gave no request token")}
	}
	a.Secret = token + " " + secret
	return p.authorize + "?oauth_token=" + url.QueryEscape(token), nil
}

func (p *twitter) finish(ctx context.Context, a *attempt, callback url.Values) (*outcome, error) {
	token, secret, _ := strings.Cut(a.Secret, " ")
	if subtle.ConstantTimeCompare([]byte(callback.Get("oauth_token")), []byte(token)) != 1 ||
		callback.Get("oauth_verifier") == "" {
		return nil, errRefused
	}
	answer, err := p.form(ctx, p.access,
		map[string]string{"oauth_token": token, "oauth_verifier": callback.Get("oauth_verifier")}, secret)
	if err != nil {
		return nil, err
	}
	return p.who(ctx, answer.Get("oauth_token"), answer.Get("oauth_token_secret"))
}

func (p *twitter) trade(ctx context.Context, c credentials) (*outcome, error) {
	if c.AccessToken == "" || c.AccessTokenSecret == "" {
		return nil, errMalformed
	}
	return p.who(ctx, c.AccessToken, c.AccessTokenSecret)
}

func (p *twitter) renew(context.Context, identity.ProviderToken) (*outcome, error) {
	return nil, errNoRefresh // its tokens do not expire
}

func (p *twitter) who(ctx context.Context, token, secret string) (*outcome, error) {
	if token == "" || secret == "" {
		return nil, errRefused
	}
	r, err := p.signed(ctx, http.MethodGet, p.verify, map[string]string{"oauth_token": token}, secret)
	if err != nil {
		return nil, err
	}
	var profile map[string]any
	if err := p.getJSON(r, &profile); err != nil {
		return nil, err
	}
	subject := text(profile, "id_str")
	if subject == "" || len(subject) > 255 {
		return nil, errRefused
	}
	wanted := map[string]any{}
	for _, name := range []string{"id_str", "name", "email", "screen_name", "location", "url", "lang"} {
		wanted[name] = profile[name]
	}
	claims := profileClaims("twitter", wanted,
		map[string]string{"id_str": identity.ClaimNameID, "name": identity.ClaimName, "email": identity.ClaimMail})
	return &outcome{Issuer: "https://api.twitter.com", Subject: subject,
		Name: first(text(profile, "screen_name"), subject), Mail: text(profile, "email"), Claims: claims,
		Token: identity.ProviderToken{Provider: p.name, Access: token, Secret: secret}}, nil
}

// form sends a signed POST and reads the form that comes back.
func (p *twitter) form(ctx context.Context, address string, parameters map[string]string, secret string) (url.Values,
	error) {
	r, err := p.signed(ctx, http.MethodPost, address, parameters, secret)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, &errProvider{err: stripURL(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, &errProvider{err: err}
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return nil, fmt.Errorf("%w (status %d)", errRefused, resp.StatusCode)
	}
	values, err := url.ParseQuery(string(body))
	if resp.StatusCode != http.StatusOK || err != nil {
		return nil, &errProvider{err: fmt.Errorf("status %d", resp.StatusCode)}
	}
	return values, nil
}

// signed makes a request with the Authorization header of RFC 5849.
func (p *twitter) signed(ctx context.Context, method, address string, parameters map[string]string,
	secret string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, &errProvider{err: err}
	}
	var nonce [16]byte
	rand.Read(nonce[:])
	oauth := map[string]string{
		"oauth_consumer_key": p.config.ClientID, "oauth_nonce": hex.EncodeToString(nonce[:]),
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": strconv.FormatInt(p.now().Unix(), 10),
		"oauth_version": "1.0",
	}
	for name, value := range parameters {
		oauth[name] = value
	}
	oauth["oauth_signature"] = oauthSignature(method, r.URL, oauth, p.secret, secret)
	var fields []string
	for name, value := range oauth {
		fields = append(fields, encode3986(name)+`="`+encode3986(value)+`"`)
	}
	slices.Sort(fields)
	r.Header.Set("Authorization", "OAuth "+strings.Join(fields, ", "))
	return r, nil
}

// oauthSignature is the HMAC-SHA1 signature of RFC 5849, section 3.4.
func oauthSignature(method string, u *url.URL, oauth map[string]string, consumerSecret, tokenSecret string) string {
	var pairs []string
	for name, value := range oauth {
		pairs = append(pairs, encode3986(name)+"="+encode3986(value))
	}
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, encode3986(name)+"="+encode3986(value))
		}
	}
	slices.Sort(pairs)
	base := method + "&" + encode3986(u.Scheme+"://"+hostOf(u)+u.EscapedPath()) + "&" +
		encode3986(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(encode3986(consumerSecret)+"&"+encode3986(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// encode3986 escapes everything but the unreserved characters of RFC 3986.
func encode3986(text string) string {
	return strings.NewReplacer("!", "%21", "*", "%2A", "'", "%27", "(", "%28", ")",
		"%29").Replace(encodeComponent(text))
}
