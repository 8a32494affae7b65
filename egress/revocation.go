package egress

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The errors of RevocationLists.Check.
var (
	// ErrRevoked: a list names a certificate of the chain.
	ErrRevoked = errors.New("the certificate is revoked")
	// ErrRevocationUnknown: there is a list of an authority of the chain, and it does
	// not count: it has expired, or its signature is not that authority's.
	ErrRevocationUnknown = errors.New("whether the certificate is revoked is not known")
)

// RevocationLists are certificate revocation lists (CRLs, RFC 5280 section 5) that
// chains are judged by. A certificate whose authority has a list here must not be
// on it, and the list must be current; one whose authority has none is not judged.
//
// The zero value and nil hold no list. Add must not be called while others use the
// lists; Check is safe for concurrent use.
type RevocationLists struct {
	byIssuer map[string][]*revocationList // by the name as text, however it is encoded
}

// revocationList is one list, without what is needed only to read it.
type revocationList struct {
	signed  *x509.RevocationList // the signature and what it is of
	keyID   []byte               // of the authority's key
	scope   string               // the part of the authority's certificates that it is about
	revoked map[string]time.Time // by serial number

	mu       sync.Mutex
	verified map[[sha256.Size]byte]error // by the authority's certificate
}

// maxAuthorities bounds the certificates of one authority for which a list
// remembers whether they signed it. There is hardly more than one.
const maxAuthorities = 16

// Add adds the lists of a file: one in DER, or any number in PEM ("X509 CRL"). Of
// the same authority and part, the newest counts. A list that is there in part only
// (a delta), that speaks for other authorities, or that is signed with SHA-1 or less
// is an error, and so is a file without any.
func (l *RevocationLists) Add(data []byte) error {
	blocks, err := derLists(data)
	if err != nil {
		return err
	}
	lists := make([]*revocationList, len(blocks))
	for i, der := range blocks {
		if lists[i], err = newRevocationList(der); err != nil {
			return err
		}
	}
	for _, list := range lists {
		l.add(list)
	}
	return nil
}

// derLists returns the lists of a file in DER.
func derLists(data []byte) (lists [][]byte, err error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return [][]byte{data}, nil
	}
	begun := bytes.Count(data, []byte("-----BEGIN "))
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("must hold revocation lists (X509 CRL), and it holds a %s too", block.Type)
		}
		lists = append(lists, block.Bytes)
	}
	if len(lists) != begun || len(bytes.TrimSpace(data)) > 0 {
		// What cannot be read may be the list that names somebody: the file may be
		// being written.
		return nil, fmt.Errorf("must hold whole revocation lists (X509 CRL) and nothing behind them, and %d of %d "+
			"can be read", len(lists), begun)
	}
	return lists, nil
}

func newRevocationList(der []byte) (*revocationList, error) {
	read, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("must hold revocation lists in PEM or one in DER: %w", err)
	}
	if len(read.AuthorityKeyId) == 0 {
		return nil, fmt.Errorf("the list of %q must name its authority's key (RFC 5280 section 5.2.1)", read.Issuer)
	}
	if read.NextUpdate.IsZero() {
		return nil, fmt.Errorf("the list of %q must say when the next one comes (nextUpdate)", read.Issuer)
	}
	switch read.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return nil, fmt.Errorf("the list of %q must be signed with SHA-256 or better, and it is signed with %s",
			read.Issuer, read.SignatureAlgorithm)
	}
	list := &revocationList{
		keyID: read.AuthorityKeyId, revoked: map[string]time.Time{}, verified: map[[sha256.Size]byte]error{},
		signed: &x509.RevocationList{
			RawTBSRevocationList: read.RawTBSRevocationList, RawIssuer: read.RawIssuer, Issuer: read.Issuer,
			Signature: read.Signature, SignatureAlgorithm: read.SignatureAlgorithm,
			ThisUpdate: read.ThisUpdate, NextUpdate: read.NextUpdate,
		},
	}
	for _, e := range read.Extensions {
		if e.Id.Equal(issuingPoint) {
			if list.scope, err = scopeOf(e.Value); err != nil {
				return nil, fmt.Errorf("the list of %q: %w", read.Issuer, err)
			}
		} else if e.Critical {
			return nil, fmt.Errorf("the list of %q has the critical extension %s, which cannot be heeded "+
				"(of delta lists: use the whole list)", read.Issuer, e.Id)
		}
	}
	for _, entry := range read.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical {
				return nil, fmt.Errorf(
					"an entry of the list of %q has the critical extension %s, which cannot be heeded",
					read.Issuer,
					e.Id,
				)
			}
		}
		list.revoked[string(entry.SerialNumber.Bytes())] = entry.RevocationTime
	}
	return list, nil
}

// issuingPoint is the extension by which a list says what part of the authority's
// certificates it is about (RFC 5280 section 5.2.5).
var issuingPoint = asn1.ObjectIdentifier{2, 5, 29, 28}

// scopeOf returns what tells the parts of an authority's lists apart.
func scopeOf(extension []byte) (string, error) {
	var part struct {
		Point           asn1.RawValue  `asn1:"optional,tag:0"`
		UserOnly        bool           `asn1:"optional,tag:1"`
		AuthoritiesOnly bool           `asn1:"optional,tag:2"`
		Reasons         asn1.BitString `asn1:"optional,tag:3"`
		Indirect        bool           `asn1:"optional,tag:4"`
		AttributesOnly  bool           `asn1:"optional,tag:5"`
	}
	if rest, err := asn1.Unmarshal(extension, &part); err != nil || len(rest) > 0 {
		return "", errors.New("its issuing distribution point cannot be read")
	}
	if part.Indirect {
		return "", errors.New("it speaks for other authorities (indirectCRL), which is not supported")
	}
	return string(extension), nil
}

// add keeps a list, in the place of an older one of the same authority and part.
func (l *RevocationLists) add(list *revocationList) {
	if l.byIssuer == nil {
		l.byIssuer = map[string][]*revocationList{}
	}
	issuer := list.signed.Issuer.String()
	same := func(other *revocationList) bool {
		return bytes.Equal(other.keyID, list.keyID) && other.scope == list.scope
	}
	of := l.byIssuer[issuer]
	if i := slices.IndexFunc(of, same); i < 0 {
		l.byIssuer[issuer] = append(of, list)
	} else if of[i].signed.ThisUpdate.Before(list.signed.ThisUpdate) {
		of[i] = list
	}
}

// Check judges a chain, the server's or client's own certificate first and the trust
// anchor, which is not judged, last. It returns nil, or an error that wraps
// ErrRevoked or ErrRevocationUnknown.
func (l *RevocationLists) Check(chain []*x509.Certificate, now time.Time) error {
	if l == nil {
		return nil
	}
	var unknown error
	for i := range len(chain) - 1 {
		for _, list := range l.byIssuer[chain[i].Issuer.String()] {
			switch err := list.judge(chain[i], chain[i+1], now); {
			case errors.Is(err, ErrRevoked):
				return err // whatever else is not known
			case err != nil:
				unknown = err
			}
		}
	}
	return unknown
}

// judge judges a certificate by a list that bears its issuer's name. Whether it is
// the issuer's is for the signature to say: one key may have several identifiers.
func (r *revocationList) judge(c, issuer *x509.Certificate, now time.Time) error {
	err := r.verify(issuer)
	if err != nil && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(issuer.SubjectKeyId, r.keyID) {
		return nil // it is of another authority of this name, or of its former key
	}
	if err != nil {
		return fmt.Errorf("%w: the revocation list of %q: %w", ErrRevocationUnknown, issuer.Subject, err)
	}
	if at, revoked := r.revoked[string(c.SerialNumber.Bytes())]; revoked {
		return fmt.Errorf("%w: %q on %s, says the list of %q", ErrRevoked, c.Subject, at.UTC().Format(time.DateOnly),
			issuer.Subject)
	}
	if now.Before(r.signed.ThisUpdate) || !now.Before(r.signed.NextUpdate) {
		return fmt.Errorf(
			"%w: the revocation list of %q counts from %s to %s: get the current one",
			ErrRevocationUnknown,
			issuer.Subject,
			r.signed.ThisUpdate.UTC().Format(time.RFC3339),
			r.signed.NextUpdate.UTC().Format(time.RFC3339),
		)
	}
	return nil
}

// verify checks the list's signature, once for each certificate of its authority.
func (r *revocationList) verify(issuer *x509.Certificate) error {
	key := sha256.Sum256(issuer.Raw)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err, known := r.verified[key]; known {
		return err
	}
	err := r.signed.CheckSignatureFrom(issuer)
	if len(r.verified) < maxAuthorities {
		r.verified[key] = err
	}
	return err
}

// Notes says which lists do not count now, and which will not within the time ahead,
// or the last quarter of their own if that is shorter, each in a sentence.
func (l *RevocationLists) Notes(now time.Time, ahead time.Duration) (notes []string) {
	if l == nil {
		return nil
	}
	for _, of := range l.byIssuer {
		for _, list := range of {
			of, to := list.signed.Issuer, list.signed.NextUpdate
			switch {
			case now.Before(list.signed.ThisUpdate):
				notes = append(notes, fmt.Sprintf("the revocation list of %q counts from %s on: what is below this "+
					"authority is refused until then", of, list.signed.ThisUpdate.UTC().Format(time.RFC3339)))
			case !now.Before(to):
				notes = append(notes, fmt.Sprintf("the revocation list of %q has expired on %s: what is below this "+
					"authority is refused; get the current one", of, to.UTC().Format(time.RFC3339)))
			case !now.Add(min(ahead, to.Sub(list.signed.ThisUpdate)/4)).Before(to):
				notes = append(notes, fmt.Sprintf("the revocation list of %q expires on %s: get the next one, or what "+
					"is below this authority will be refused", of, to.UTC().Format(time.RFC3339)))
			}
		}
	}
	slices.Sort(notes)
	return notes
}
